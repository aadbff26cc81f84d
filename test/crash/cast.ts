// Who plays in an arena: about thirty clients of both versions that cover what a store has to keep.
import { MQTT5, MQTT311, type Profile } from '../../src/protocol/version.ts';
import {
  type Actor,
  ASLEEP,
  AWAY,
  changer,
  ender,
  FICKLE,
  LASTING,
  PASSING,
  publisher,
  type Repertoire,
  STEADY,
  subscriber,
  willed,
} from './actor.ts';
import type { Ledger } from './ledger.ts';
import { Player } from './player.ts';

/** The retained message that ends a look at all of them. */
export const LAST_RETAINED = 'r/~';

/** The topic on which a client is told that its session is empty. */
export const inbox = (clientId: string): string => `i/${clientId}`;

/** Share groups, by the topics that they take. */
export const GROUPS: readonly { readonly group: string; readonly topic: string }[] = [
  { group: 'ga', topic: 's/a/x' },
  { group: 'gb', topic: 's/b/x' },
];

export interface Cast {
  readonly actors: readonly Actor[];
  /** Publishes what ends a drain. */
  readonly conductor: Actor;
  /** Gets all wills. */
  readonly watcher: Actor;
}

const TOPICS = ['m/0/a', 'm/0/b', 'm/1/a', 'm/1/b', 'm/2/a', 'm/2/b', 'm/3/a', 'm/3/b'];
const MESSAGES: Repertoire = { topics: TOPICS, qos: [1, 2], expiries: [null], retain: false, window: 12 };

export function castOf(ledger: Ledger): Cast {
  const player = (id: string, profile: Profile, wanted: readonly [string, number][] = []): Player => {
    const one = new Player(ledger, id, profile);
    for (const [filter, qos] of wanted) one.requests.wanted.set(filter, qos);
    return one;
  };
  const receiver = (id: string, profile: Profile, wanted: readonly [string, number][]): Player =>
    player(id, profile, [...wanted, [inbox(id), 2]]);
  // A broker may pass QoS 2 on at PUBREL, behind a later message of QoS 1: each retained topic has one QoS.
  const retained = (id: string, expiries: readonly (number | null)[]): Repertoire[] =>
    [1, 2].map((qos) => ({
      topics: [0, 1, 2].map((number) => `r/${id}/${qos}-${number}`),
      qos: [qos],
      expiries,
      retain: true,
      window: 12,
    }));
  const shared: Repertoire = { ...MESSAGES, topics: GROUPS.map(({ topic }) => topic) };
  const narrow = { ...LASTING, receiveMaximum: 3 };

  const publishers: Actor[] = [
    publisher(ledger, player('p1', MQTT311), LASTING, [{ ...MESSAGES, qos: [1] }], 0.3),
    publisher(ledger, player('p2', MQTT5), LASTING, [{ ...MESSAGES, qos: [2] }, ...retained('p2', [null])], 0.3),
    publisher(ledger, player('p3', MQTT5), LASTING, [{ ...MESSAGES, expiries: [null, 900, 4] }, shared], 0.2),
    publisher(ledger, player('p4', MQTT311), LASTING, [MESSAGES, ...retained('p4', [null]), shared], 0.15),
    publisher(ledger, player('p5', MQTT311), PASSING, [MESSAGES], 0.2),
    publisher(ledger, player('p6', MQTT5), PASSING, [MESSAGES, ...retained('p6', [null, 3600, 5])], 0.15),
  ];
  const subscribers: Actor[] = [
    subscriber(
      receiver('s1', MQTT311, [
        ['m/0/#', 2],
        ['m/1/+', 1],
      ]),
      LASTING,
      STEADY,
    ),
    subscriber(
      receiver('s2', MQTT5, [
        ['m/0/+', 1],
        ['m/2/#', 2],
        ['r/#', 1],
      ]),
      narrow,
      STEADY,
    ),
    subscriber(receiver('s3', MQTT311, [['m/1/#', 2]]), LASTING, FICKLE),
    subscriber(
      receiver('s4', MQTT5, [
        ['m/2/#', 1],
        ['m/3/#', 2],
      ]),
      { ...LASTING, expiry: 3600 },
      FICKLE,
    ),
    subscriber(
      receiver('s5', MQTT5, [
        ['m/3/#', 2],
        ['m/0/a', 1],
        ['r/p2/#', 2],
      ]),
      narrow,
      ASLEEP,
    ),
    subscriber(receiver('all', MQTT5, [['m/#', 2]]), LASTING, AWAY),
    subscriber(
      player('x1', MQTT311, [
        ['m/0/#', 2],
        ['m/2/+', 1],
      ]),
      PASSING,
      FICKLE,
    ),
    subscriber(player('x2', MQTT5, [['m/+/a', 2]]), PASSING, STEADY),
  ];
  const changing: [string, number][] = [
    ['m/0/#', 2],
    ['m/1/#', 1],
    ['m/2/+', 2],
    ['m/3/a', 1],
    ['r/#', 1],
  ];
  const changers: Actor[] = [
    changer(receiver('c1', MQTT5, []), LASTING, changing),
    changer(receiver('c2', MQTT311, []), LASTING, changing),
  ];
  const members: Actor[] = [
    subscriber(receiver('h1', MQTT5, [['$share/ga/s/a/#', 2]]), LASTING, STEADY),
    subscriber(receiver('h2', MQTT311, [['$share/ga/s/a/#', 2]]), LASTING, FICKLE),
    subscriber(receiver('h3', MQTT5, [['$share/ga/s/a/#', 2]]), narrow, FICKLE),
    subscriber(receiver('h4', MQTT5, [['$share/gb/s/b/+', 1]]), LASTING, FICKLE),
    subscriber(receiver('h5', MQTT311, [['$share/gb/s/b/+', 1]]), LASTING, STEADY),
  ];
  const enders: Actor[] = [
    ender(receiver('e1', MQTT5, [['m/1/#', 2]]), [LASTING, { ...LASTING, cleanStart: true }], 0),
    ender(receiver('e2', MQTT311, [['m/2/#', 1]]), [LASTING, LASTING, PASSING], 0),
    ender(receiver('e3', MQTT5, [['m/3/#', 2]]), [{ ...LASTING, expiry: 2 }], 9000),
  ];
  const wills: Actor[] = [
    willed(ledger, player('w1', MQTT311), LASTING, { qos: 1, delay: 0, awayMs: 0 }),
    willed(ledger, player('w2', MQTT5), LASTING, { qos: 2, delay: 1, awayMs: 5000 }),
    willed(ledger, player('w3', MQTT5), LASTING, { qos: 2, delay: 60, awayMs: 0 }),
    willed(ledger, player('w4', MQTT311), PASSING, { qos: 1, delay: 0, awayMs: 100 }),
    willed(ledger, player('w5', MQTT5), PASSING, { qos: 2, delay: 0, awayMs: 0 }),
  ];
  const watcher = subscriber(receiver('watcher', MQTT5, [['w/#', 2]]), LASTING, STEADY);
  const conductor = publisher(ledger, receiver('conductor', MQTT5, []), LASTING, [], 0);
  const actors = [conductor, watcher, ...publishers, ...subscribers, ...changers, ...members, ...enders, ...wills];
  return { actors, conductor, watcher };
}
