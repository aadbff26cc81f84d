// Options about which messages mqtt-sub and mqtt-rr want, and when they have had enough.
import { choice, FLAG, integer, type Kind, oneWord, seconds, TEXT, topicFilter } from '../kinds.ts';
import { UsageError } from '../messages.ts';
import type { OptionRow } from './row.ts';

/** How many messages --expect waits for. */
export interface Expectation {
  readonly count: number;
  /** One more is one too many. */
  readonly exactly: boolean;
}

const EXPECTATION: Kind<Expectation> = oneWord((word) => {
  const [, exactly, digits] = /^(=?)(\d{1,10})$/.exec(word) ?? [];
  const count = Number(digits);
  if (!(count <= 2_147_483_647)) throw new UsageError(`Invalid number of expected messages "${word}".`);
  return { count, exactly: exactly === '=' || count === 0 };
});

const PERCENT: Kind<number> = oneWord((word) => {
  const value = /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(word) ? Number(word) : Number.NaN;
  if (!(value >= 0.1 && value <= 100)) throw new UsageError('--random-filter chance must be between 0.1-100.0');
  return value;
});

export const SUBSCRIBE_OPTIONS = [
  {
    key: 'topics',
    names: ['-t', '--topic'],
    kind: topicFilter('subscription topic'),
    list: true,
    tools: ['sub'],
    group: 'Subscribing',
    value: 'FILTER',
    missing: '-t argument given but no topic specified',
    help: 'Topic filter to subscribe to, with + for one level and # for all levels below. May be repeated.',
  },
  {
    key: 'filterOut',
    names: ['-T', '--filter-out'],
    kind: topicFilter('filter topic'),
    list: true,
    tools: ['sub'],
    group: 'Subscribing',
    value: 'FILTER',
    missing: '-T argument given but no topic filter specified',
    help: 'Do not print messages whose topic matches this. May be repeated.',
  },
  {
    key: 'unsubscribe',
    names: ['-U', '--unsubscribe'],
    kind: topicFilter('unsubscribe topic'),
    list: true,
    tools: ['sub'],
    group: 'Subscribing',
    value: 'FILTER',
    missing: '-U argument given but no unsubscribe topic specified',
    help: 'Unsubscribe from this filter; useful with -c. May be repeated.',
  },
  {
    key: 'count',
    names: ['-C'],
    kind: integer(1, 2_147_483_647, (word) => `Invalid message count "${word}".`),
    tools: ['sub'],
    group: 'Subscribing',
    value: 'COUNT',
    missing: '-C argument given but no count specified',
    help: 'Exit after this many messages.',
  },
  {
    key: 'timeout',
    names: ['-W'],
    kind: seconds(0.001, (word) => `Invalid timeout "${word}".`),
    tools: ['sub', 'rr'],
    group: 'Subscribing',
    value: 'SECONDS',
    missing: '-W argument given but no timeout specified',
    help: 'Exit with code 27 after this time.',
  },
  {
    key: 'exitAfterSubscribe',
    names: ['-E'],
    kind: FLAG,
    tools: ['sub'],
    group: 'Subscribing',
    help: 'Exit once the broker has acknowledged all subscriptions.',
  },
  {
    key: 'skipRetained',
    names: ['-R'],
    kind: FLAG,
    tools: ['sub', 'rr'],
    group: 'Subscribing',
    conflicts: { keys: ['retainedOnly'], message: "Combining '-R' and '--retained-only' makes no sense." },
    help: 'Do not print retained messages.',
  },
  {
    key: 'retainedOnly',
    names: ['--retained-only'],
    kind: FLAG,
    tools: ['sub'],
    group: 'Subscribing',
    help: 'Print only retained messages, and exit when the first other one comes.',
  },
  {
    key: 'removeRetained',
    names: ['--remove-retained'],
    kind: FLAG,
    tools: ['sub'],
    group: 'Subscribing',
    help: 'Delete every retained message that comes in from the broker. -T spares topics.',
  },
  {
    key: 'retainAsPublished',
    names: ['--retain-as-published'],
    kind: FLAG,
    tools: ['sub', 'rr'],
    group: 'Subscribing',
    help: 'Keep the retain flag as the publisher set it (MQTT 5).',
  },
  {
    key: 'retainHandling',
    names: ['--retain-handling'],
    kind: choice(
      { always: 0, new: 1, never: 2 },
      (word) => `Invalid retain handling '${word}', it must be always, new or never.`,
    ),
    tools: ['sub', 'rr'],
    group: 'Subscribing',
    value: 'WHEN',
    missing: '--retain-handling argument given but no option specified',
    fallback: 0,
    help: 'When the broker sends retained messages: always, only for a new subscription (new), or never (MQTT 5). Default: always.',
  },
  {
    key: 'expect',
    names: ['--expect'],
    kind: EXPECTATION,
    tools: ['sub'],
    group: 'Subscribing',
    value: 'COUNT',
    missing: '--expect argument given but no count specified',
    conflicts: { keys: ['count', 'until'], message: "'--expect' cannot be combined with '-C' or '--until'." },
    help: 'Exit with code 0 after this many messages, and with 27 if fewer come within the time of -W. With =COUNT, exit with code 0 when -W is over and exactly so many came, and with 1 as soon as one too many comes.',
  },
  {
    key: 'until',
    names: ['--until'],
    kind: TEXT,
    tools: ['sub'],
    group: 'Subscribing',
    value: 'CONDITION',
    missing: '--until argument given but no condition specified',
    help: 'Exit with code 0 after the first message that fulfils a condition: \'payload.temp > 30\', or /REGEX/ for text. See "Conditions" in the manual page.',
  },
  {
    key: 'record',
    names: ['--record'],
    kind: TEXT,
    tools: ['sub'],
    group: 'Subscribing',
    value: 'FILE',
    missing: '--record argument given but no file specified',
    help: 'Write every message, with its time, to this file for mqtt-pub --replay, behind what is recorded there already. Messages are printed as well only if an option says how (-v, -F, …). Chooses MQTT 5 where -V is not given.',
  },
  {
    key: 'watch',
    names: ['-w', '--watch'],
    kind: FLAG,
    tools: ['sub'],
    group: 'Subscribing',
    conflicts: { keys: ['messageRate'], message: "Only one of '-w' and '--message-rate' may be used." },
    help: 'Keep a line of the screen for the newest message of each topic. Without a terminal, and with -d, messages are printed as with -v.',
  },
  {
    key: 'messageRate',
    names: ['--message-rate'],
    kind: FLAG,
    tools: ['sub'],
    group: 'Subscribing',
    help: 'Print the number of messages of each second instead of the messages.',
  },
  {
    key: 'randomFilter',
    names: ['--random-filter'],
    kind: PERCENT,
    tools: ['sub'],
    group: 'Subscribing',
    value: 'PERCENT',
    missing: '--random-filter argument given but no chance specified',
    help: 'Print each message with this chance, from 0.1 to 100 percent. Others do not count for -C, --until and --expect.',
  },
  {
    key: 'latency',
    names: ['--latency'],
    kind: FLAG,
    tools: ['rr'],
    group: 'Subscribing',
    help: 'Print the time between request and response behind the response.',
  },
] as const satisfies readonly OptionRow[];
