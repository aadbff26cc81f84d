// Random work for a store: what a broker may do with it, faults of the file system, and the log's own moves in between.
import fc from 'fast-check';
import type { SessionFacts, SubscriptionFacts } from '../../src/broker/store/records.ts';
import { systemError } from './fake-files.ts';
import type { Dice } from './fuzz-dice.ts';
import { type StoreWorld, WorldMessage, WorldSession } from './store-world.ts';

/** Kinds of steps, and how often they come. */
const WORK = {
  join: 4,
  change: 3,
  subscribe: 4,
  unsubscribe: 2,
  publish: 14,
  share: 4,
  send: 6,
  release: 5,
  finish: 9,
  drain: 1,
  receive: 4,
  free: 3,
  leave: 2,
  keep: 2,
  clear: 2,
  commit: 14,
  work: 14,
  tell: 14,
  compact: 2,
} as const;

const FAULTS = { fail: 3, wait: 3 } as const;

type Kind = keyof typeof WORK | keyof typeof FAULTS;

/** One step; what the numbers choose depends on the kind. */
export interface Step {
  readonly kind: Kind;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

function steps(kinds: Partial<Record<Kind, number>>): fc.Arbitrary<Step> {
  const kind = fc.oneof(
    ...Object.entries(kinds).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Kind) })),
  );
  return fc.record({ kind, a: fc.nat(1000), b: fc.nat(1500), c: fc.nat(0xffff) });
}

/** A life of a broker in which the file system fails now and then. */
export const hardLifeOf = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(steps({ ...WORK, ...FAULTS }), { maxLength, size: 'max' });

/** A life by the dice, without faults. */
export function rolledLife(dice: Dice, length: number): Step[] {
  const kinds = Object.entries(WORK).flatMap(([kind, weight]) => new Array<Kind>(weight).fill(kind as Kind));
  return Array.from({ length }, () => ({
    kind: dice.pick(kinds),
    a: dice.below(1000),
    b: dice.below(1500),
    c: dice.below(0xffff),
  }));
}

const MAX_SESSIONS = 8;
const TOPICS = ['a', 'b/c', 'ü', '$SYS/x', 'a/b/c/d'];
const NO_BYTES = Buffer.alloc(0);
const FAULT_CODES = ['ENOSPC', 'EIO'];

const pick = <T>(list: readonly T[], number: number): T | undefined => list[number % Math.max(1, list.length)];

function factsFrom(clientId: string, keeps: boolean, b: number, c: number): SessionFacts {
  const will = {
    topic: `will/${b % 7}`,
    qos: c % 3,
    retain: (c & 4) !== 0,
    properties: (c & 8) === 0 ? {} : { willDelayInterval: b, userProperties: [['k', `${c}`] as const] },
    payload: Buffer.alloc(b % 50, 119),
  };
  return {
    clientId,
    username: (c & 16) === 0 ? null : `user ${c}`,
    listener: `${c & 3}`,
    mountPoint: (c & 32) === 0 ? null : 'mount/',
    expiryInterval: keeps ? 1 + b : 0,
    awaySince: (c & 64) === 0 ? 0 : 1_700_000_000_000 + c,
    will: (c & 128) === 0 && keeps ? null : will,
  };
}

function subscriptionFrom(b: number, c: number): SubscriptionFacts {
  const name = `${TOPICS[b % TOPICS.length]}/#`;
  return {
    name,
    filter: (c & 1) === 0 ? name : `mount/${name}`,
    qos: c % 3,
    noLocal: (c & 4) !== 0,
    retainAsPublished: (c & 8) !== 0,
    identifier: (c & 16) === 0 ? 0 : c,
    isReplaying: (c & 32) !== 0,
  };
}

function messageFrom(world: StoreWorld, b: number, c: number): WorldMessage {
  world.made += 1;
  const { made } = world;
  const topic = TOPICS[c % TOPICS.length]!;
  const payload = Buffer.from(`${made}:`.padEnd((c & 64) === 0 ? b % 60 : b, 'x'));
  return new WorldMessage({
    topic,
    routedAs: (c & 128) === 0 ? topic : `mount/${topic}`,
    qos: c % 3,
    retain: (c & 1) !== 0,
    properties: (c & 256) === 0 ? NO_BYTES : Buffer.alloc(c % 40, made),
    expiryAt: (c & 512) === 0 ? -1 : 1,
    expiresAt: (c & 512) === 0 ? 0 : 1_700_000_000_000 + b,
    // Somewhere in a larger buffer, as it comes.
    payload: { buffer: Buffer.concat([Buffer.from('<'), payload]), start: 1, end: 1 + payload.length },
    source: (c & 1024) === 0 ? null : { clientId: `p${c % 5}`, username: c % 2 === 0 ? null : 'u', listener: '1' },
  });
}

/** Does one step that only memory and the store know of. */
function act(world: StoreWorld, { kind, a, b, c }: Step): void {
  const session = pick(world.sessions, a);
  if (kind === 'join') join(world, b, c);
  else if (kind === 'publish') publish(world, a, b, c);
  else if (kind === 'keep') keep(world, a, b);
  else if (kind === 'clear') clear(world, a);
  else if (session !== undefined) actOn(world, session, kind, b, c);
}

function join(world: StoreWorld, b: number, c: number): void {
  if (world.sessions.length >= MAX_SESSIONS) return;
  world.made += 1;
  const keeps = c % 5 > 0;
  const session = new WorldSession(factsFrom(`client ${world.made}`, keeps, b, c), (owner) =>
    world.store.add(owner, keeps),
  );
  session.record.changed();
  world.sessions.push(session);
}

function actOn(world: StoreWorld, session: WorldSession, kind: Kind, b: number, c: number): void {
  const { record } = session;
  switch (kind) {
    case 'change':
      session.facts = factsFrom(session.facts.clientId, record.keepsMessages, b, c);
      record.changed();
      break;
    case 'subscribe': {
      if (!record.keepsMessages) break;
      const subscription = subscriptionFrom(b, c);
      const isNew = !session.subscriptions.has(subscription.name);
      session.subscriptions.set(subscription.name, subscription);
      record.subscribed(subscription, isNew);
      break;
    }
    case 'unsubscribe': {
      const name = pick([...session.subscriptions.keys()], b);
      if (name === undefined) break;
      session.subscriptions.delete(name);
      record.unsubscribed(name);
      break;
    }
    case 'share': {
      const all = [...world.retained.values(), ...world.sessions.flatMap((other) => world.messagesOf(other))];
      const message = pick(all, b);
      if (message !== undefined) deliver(session, message, c);
      break;
    }
    case 'receive':
      if (!record.keepsMessages) break;
      session.inbound.set(1 + (b % 9), (c << 16) ^ b);
      record.received(1 + (b % 9), (c << 16) ^ b);
      break;
    case 'free': {
      const id = pick([...session.inbound.keys()], b);
      if (id === undefined) break;
      session.inbound.delete(id);
      record.freed(id);
      break;
    }
    case 'leave':
      world.sessions.splice(world.sessions.indexOf(session), 1);
      record.ended(world.messagesOf(session));
      break;
    default:
      moveOn(session, kind, b, c);
  }
}

/** What happens to deliveries. */
function moveOn({ record, deliveries }: WorldSession, kind: Kind, b: number, c: number): void {
  const seq = pick([...deliveries.keys()], b);
  if (seq === undefined) return;
  const delivery = deliveries.get(seq)!;
  if (kind === 'send' && delivery.id === 0) {
    delivery.id = 1 + (c % 65_535);
    record.sent(seq, delivery.id);
  } else if (kind === 'release' && delivery.id !== 0) {
    delivery.isReleased = true;
    delivery.turn = c + 0x1_0000_0000;
    record.released(seq, delivery.id, delivery.turn);
  } else if (kind === 'finish') {
    deliveries.delete(seq);
    record.done(seq, delivery.message);
  } else if (kind === 'drain') {
    for (const [each, { message }] of deliveries) record.done(each, message);
    deliveries.clear();
  }
}

function deliver({ record, deliveries }: WorldSession, message: WorldMessage, c: number): void {
  const flags = c & 15;
  const extra = (c & 16) === 0 ? NO_BYTES : Buffer.from([11, c & 127]);
  const id = (c & 32) === 0 ? 0 : 1 + (c >> 4);
  const seq = record.add(message, flags, extra, id);
  if (seq > 0) deliveries.set(seq, { message, flags, extra, id, isReleased: false, turn: 0 });
}

function publish(world: StoreWorld, a: number, b: number, c: number): void {
  const message = messageFrom(world, b, c);
  if (message.retain) retain(world, message);
  world.sessions.forEach((session, index) => {
    if (((a >> index) & 1) === 1) deliver(session, message, c * (index + 1));
  });
}

function retain({ store, retained }: StoreWorld, message: WorldMessage): void {
  const { name } = message.topic;
  store.keep(message, retained.get(name) ?? null);
  retained.set(name, message);
}

/** A message that a session still has, or that nobody has, becomes a retained one. */
function keep(world: StoreWorld, a: number, b: number): void {
  const message = pick(
    world.sessions.flatMap((session) => world.messagesOf(session)),
    a + b,
  );
  if (message !== undefined && world.retained.get(message.topic.name) !== message) retain(world, message);
}

function clear({ store, retained }: StoreWorld, a: number): void {
  const topic = pick([...retained.keys()], a);
  if (topic === undefined) return;
  store.clear(retained.get(topic)!);
  retained.delete(topic);
}

/** Carries steps out; `tick` lets a second pass. Faults end with them. */
export function carryOut(world: StoreWorld, all: readonly Step[], tick: () => void): void {
  const { files, store, port } = world;
  let failures = 0;
  let code = '';
  files.before = () => {
    if (failures === 0) return;
    failures -= 1;
    throw systemError(code);
  };
  for (const step of all) {
    const { kind, a } = step;
    // What these do may hand the open group over.
    if (kind === 'commit' || kind === 'tell' || kind === 'compact' || kind === 'wait') world.picture();
    if (kind === 'commit') store.commit();
    else if (kind === 'compact') store.compact();
    else if (kind === 'work') port.work();
    else if (kind === 'tell') port.tell();
    else if (kind === 'wait') tick();
    else if (kind === 'fail') {
      failures = 1 + (a % 3);
      code = FAULT_CODES[a % FAULT_CODES.length]!;
    } else act(world, step);
  }
  files.before = () => undefined;
}
