// Options about what mqtt-pub and mqtt-rr send.
import { FLAG, integer, type Kind, oneWord, PAYLOAD_FORMAT, seconds, TEXT, topicName } from '../kinds.ts';
import { UsageError } from '../messages.ts';
import { TOPIC_RULE } from '../replay/topic-map.ts';
import type { OptionRow } from './row.ts';

/** Every source of a payload excludes all of them, a second of its own kind too. */
const oneSource = {
  keys: ['message', 'file', 'stdinWhole', 'nullMessage', 'stdinLines', 'jsonInput', 'replay'],
  message: 'Only one type of message can be sent at once.',
} as const;

const SPEED: Kind<number> = oneWord((word) => {
  const value = /^(\d+(\.\d*)?|\.\d+)$/.test(word) ? Number(word) : Number.NaN;
  if (word === 'max') return 0;
  if (!(value === 0 || (value >= 0.001 && value <= 1_000_000))) {
    throw new UsageError(`Invalid speed "${word}", it must be from 0.001 to 1000000, or 0 or max.`);
  }
  return value;
});

export const PUBLISH_OPTIONS = [
  {
    key: 'topic',
    names: ['-t', '--topic'],
    kind: topicName('publish topic'),
    tools: ['pub', 'rr'],
    group: 'Publishing',
    value: 'TOPIC',
    missing: '-t argument given but no topic specified',
    help: 'Topic to publish to.',
  },
  {
    key: 'responseTopic',
    names: ['-e'],
    kind: topicName('response topic'),
    tools: ['rr'],
    group: 'Publishing',
    value: 'TOPIC',
    missing: '-e argument given but no response topic specified',
    help: 'Topic on which the response is expected.',
  },
  {
    key: 'message',
    names: ['-m', '--message'],
    kind: TEXT,
    tools: ['pub', 'rr'],
    group: 'Publishing',
    value: 'TEXT',
    missing: '-m argument given but no message specified',
    conflicts: oneSource,
    help: 'Send this text.',
  },
  {
    key: 'file',
    names: ['-f', '--file'],
    kind: TEXT,
    tools: ['pub', 'rr'],
    group: 'Publishing',
    value: 'FILE',
    missing: '-f argument given but no file specified',
    conflicts: oneSource,
    help: 'Send the content of a file.',
  },
  {
    key: 'stdinLines',
    names: ['-l', '--stdin-line'],
    kind: FLAG,
    tools: ['pub'],
    group: 'Publishing',
    conflicts: oneSource,
    help: 'Send a message for each line of standard input.',
  },
  {
    key: 'stdinWhole',
    names: ['-s', '--stdin-file'],
    kind: FLAG,
    tools: ['pub', 'rr'],
    group: 'Publishing',
    conflicts: oneSource,
    help: 'Send the whole of standard input as one message.',
  },
  {
    key: 'nullMessage',
    names: ['-n', '--null-message'],
    kind: FLAG,
    tools: ['pub'],
    group: 'Publishing',
    conflicts: oneSource,
    help: 'Send a message without payload. With -r this deletes the retained message of the topic.',
  },
  {
    key: 'nullMessage',
    names: ['-n', '--null-message'],
    kind: FLAG,
    tools: ['rr'],
    group: 'Publishing',
    conflicts: oneSource,
    help: 'Send a message without payload.',
  },
  {
    key: 'payloadFormat',
    names: ['--payload-format'],
    kind: PAYLOAD_FORMAT,
    tools: ['pub'],
    group: 'Publishing',
    value: 'FORMAT',
    missing: '--payload-format argument given but no format specified',
    conflicts: {
      keys: ['jsonInput', 'replay'],
      message:
        '--payload-format cannot be combined with --json-lines or --replay, which say how each payload is encoded.',
    },
    help: 'Form of what -m, -f, -s and -l give: hex or base64 digits that stand for bytes, json that is checked, or JSON that is sent as cbor or msgpack.',
  },
  {
    key: 'jsonInput',
    names: ['--json-lines'],
    kind: FLAG,
    tools: ['pub'],
    group: 'Publishing',
    conflicts: oneSource,
    help: 'Send a message for each line of standard input, which is JSON as mqtt-sub --json-lines writes it. -t, -q, -r and -D publish count where a line says nothing.',
  },
  {
    key: 'replay',
    names: ['--replay'],
    kind: TEXT,
    tools: ['pub'],
    group: 'Publishing',
    value: 'FILE',
    missing: '--replay argument given but no file specified',
    conflicts: oneSource,
    help: 'Send the messages of a recording (mqtt-sub --record) again, with the times between them that they came with; - reads it from standard input. -q, -r and -D publish win over what was recorded. Chooses MQTT 5 where -V is not given.',
  },
  {
    key: 'speed',
    names: ['--speed'],
    kind: SPEED,
    tools: ['pub'],
    group: 'Publishing',
    value: 'FACTOR',
    missing: '--speed argument given but no factor specified',
    needs: { keys: ['replay'], message: "'--speed' needs '--replay'." },
    // As fast as it was recorded.
    fallback: 1,
    help: 'Send a recording so many times as fast as it was recorded: 2 takes half the time. 0 or max means as fast as possible. Default: 1.',
  },
  {
    key: 'topicMap',
    names: ['--topic-map'],
    kind: TOPIC_RULE,
    list: true,
    tools: ['pub'],
    group: 'Publishing',
    value: 'FROM=TO',
    missing: '--topic-map argument given but no topics specified',
    needs: { keys: ['replay'], message: "'--topic-map' needs '--replay'." },
    help: 'Put TO in the place of FROM at the beginning of recorded topics; + in FROM stands for any level. May be repeated; the longest FROM that fits counts.',
  },
  {
    key: 'spool',
    names: ['--spool'],
    kind: TEXT,
    tools: ['pub'],
    group: 'Publishing',
    value: 'FILE',
    missing: '--spool argument given but no file specified',
    needs: { keys: ['stdinLines'], message: "'--spool' keeps lines of standard input: it needs '-l'." },
    help: 'With -l, keep lines in this file until the broker has them, and go on reading while it is away. Lines that an earlier run left there are sent first. The tool ends with 75 where lines are left.',
  },
  {
    key: 'retain',
    names: ['-r', '--retain'],
    kind: FLAG,
    tools: ['pub'],
    group: 'Publishing',
    help: 'Have the broker retain the message for later subscribers.',
  },
  {
    key: 'repeat',
    names: ['--repeat'],
    kind: integer(1, 2_147_483_647, () => '--repeat argument must be >0.'),
    tools: ['pub'],
    group: 'Publishing',
    value: 'COUNT',
    missing: '--repeat argument given but no count specified',
    fallback: 1,
    help: 'Send the message this many times; with -m, -f, -n and -s. Default: 1.',
  },
  {
    key: 'repeatDelay',
    names: ['--repeat-delay'],
    kind: seconds(0, () => '--repeat-delay argument must be >=0.0.'),
    tools: ['pub'],
    group: 'Publishing',
    value: 'SECONDS',
    missing: '--repeat-delay argument given but no time specified',
    fallback: 0,
    help: 'Time between two repetitions, fractions allowed. Default: 0.',
  },
] as const satisfies readonly OptionRow[];
