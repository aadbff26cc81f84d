// How much of the files counts: cleaning is measured by it, so it has to be near the truth, and to come back to nothing.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { SessionFacts } from '../../../src/broker/store/records.ts';
import { FakeFiles, systemError } from '../../support/fake-files.ts';
import { StoreWorld, WorldMessage, WorldSession } from '../../support/store-world.ts';

const BOUNDS = { segment: 5000, slack: 30_000, cleaned: 5000 };
const LONG = 'n'.repeat(3000);

const facts: SessionFacts = {
  clientId: 'c',
  username: null,
  listener: '1',
  mountPoint: null,
  expiryInterval: 100,
  awaySince: 0,
  will: null,
};
const will = { topic: 't', payload: Buffer.alloc(0), qos: 1, retain: false, properties: {} };

function joined(world: StoreWorld, more: Partial<SessionFacts>): WorldSession {
  const session = new WorldSession({ ...facts, ...more }, (owner) => world.store.add(owner, true));
  session.record.changed();
  world.sessions.push(session);
  return session;
}

function subscribed(world: StoreWorld, name: string, filter: string): void {
  const session = joined(world, {});
  const facts = { name, filter, qos: 1, noLocal: false, retainAsPublished: false, identifier: 0, isReplaying: false };
  session.subscriptions.set(name, facts);
  session.record.subscribed(facts, true);
}

function message(more: { routedAs?: string; clientId?: string } = {}): WorldMessage {
  const { routedAs = 't', clientId = 'c' } = more;
  const payload = { buffer: Buffer.from('p'), start: 0, end: 1 };
  const source = { clientId, username: null, listener: '1' };
  const properties = Buffer.alloc(0);
  const rest = { qos: 1, retain: false, properties, expiryAt: -1, expiresAt: 0 };
  return new WorldMessage({ topic: 't', routedAs, ...rest, payload, source });
}

function queued(session: WorldSession, one: WorldMessage, extra = Buffer.alloc(0)): void {
  const seq = session.record.add(one, 2, extra, 0);
  session.deliveries.set(seq, { message: one, flags: 2, extra, id: 0, isReleased: false, turn: 0 });
}

type Content = Record<string, (world: StoreWorld, index: number) => void>;

/** Bulk that is reckoned with. */
const reckoned: Content = {
  'long client identifiers': (world, index) => joined(world, { clientId: `${index}${LONG}` }),
  'long user names': (world) => joined(world, { username: LONG }),
  'wills with long topics': (world) => joined(world, { will: { ...will, topic: LONG } }),
  'wills with many properties': (world) =>
    joined(world, { will: { ...will, properties: { userProperties: [['key', LONG]] } } }),
  'long filters': (world) => subscribed(world, LONG, LONG),
  'filters that are not of ASCII': (world) => subscribed(world, 'ü'.repeat(2000), 'ü'.repeat(2000)),
  'very small messages': (world) => {
    const session = joined(world, {});
    for (let count = 0; count < 10; count++) queued(session, message());
  },
  'one message for many': (world) => {
    const shared = message();
    for (let count = 0; count < 10; count++) queued(joined(world, {}), shared);
  },
};

/** Bulk in unusual places: reckoning with it would cost those who have none. */
const unreckoned: Content = {
  'long mount points': (world) => joined(world, { mountPoint: LONG }),
  'filters behind a long mount point': (world) => subscribed(world, 'a', `${LONG}a`),
  'messages that were routed by a long name': (world) => queued(joined(world, {}), message({ routedAs: `${LONG}t` })),
  'messages of clients with long names': (world, index) =>
    queued(joined(world, {}), message({ clientId: `${index}${LONG}` })),
  'many subscription identifiers': (world) => queued(joined(world, {}), message(), Buffer.alloc(3000, 11)),
};

for (const [name, add] of Object.entries({ ...reckoned, ...unreckoned })) {
  test(`${name}: the log comes to rest, and reckons well what counts`, () => {
    const world = new StoreWorld(new FakeFiles(), 'always', BOUNDS);
    for (let index = 0; index < 30; index++) {
      add(world, index);
      world.store.commit();
      world.settle();
    }
    const { liveBytes } = world.store;
    world.store.compact();
    world.settle();
    assert.equal(world.store.liveBytes, liveBytes, 'cleaning changes nothing about it');
    const { totalBytes } = world.store;
    assert.equal(totalBytes, world.files.size);
    const ratio = totalBytes / liveBytes;
    if (name in reckoned) assert.ok(ratio > 0.5 && ratio < 1.5, `${totalBytes} bytes for ${liveBytes} that count`);
    for (const session of world.sessions) session.record.ended(world.messagesOf(session));
    assert.equal(world.store.liveBytes, 0);
    world.sessions.length = 0;
    // Room is found again also where the reckoning was wrong, though later.
    let least = Number.POSITIVE_INFINITY;
    for (let churn = 0; churn < 150; churn++) {
      joined(world, { clientId: `${churn}${LONG}` }).record.ended([]);
      world.sessions.length = 0;
      world.store.commit();
      world.settle();
      least = Math.min(least, world.store.totalBytes);
    }
    assert.ok(least <= BOUNDS.slack, `${least} bytes for nothing`);
  });
}

test('a broker that ends again and again while it cleans leaves nothing twice', () => {
  const files = new FakeFiles();
  let world = new StoreWorld(files, 'always', BOUNDS);
  const session = joined(world, {});
  for (let count = 0; count < 200; count++) queued(session, message());
  subscribed(world, 'a', 'a');
  world.store.commit();
  world.settle();
  for (let life = 0; life < 30; life++) {
    world = new StoreWorld(files, 'always', BOUNDS);
    world.store.compact();
    // What was moved is safe, and the end comes before the old segment is removed.
    for (let group = 0; group < 1 + (life % 3); group++) {
      for (let step = 0; step < 2; step++) {
        world.port.work();
        world.port.tell();
      }
    }
  }
  world = new StoreWorld(files, 'always', BOUNDS);
  world.store.compact();
  world.settle();
  const { totalBytes, liveBytes } = world.store;
  assert.equal(totalBytes, files.size);
  assert.ok(totalBytes < 1.5 * liveBytes, `${totalBytes} bytes for ${liveBytes} that count`);
});

for (const operation of ['read', 'remove'] as const) {
  test(`a segment that the system refuses to ${operation} is cleaned later, and nothing is written twice meanwhile`, (context) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    context.after(() => mock.timers.reset());
    const world = new StoreWorld(new FakeFiles(), 'always', BOUNDS);
    const session = joined(world, {});
    for (let count = 0; count < 200; count++) queued(session, message());
    world.store.commit();
    world.settle();
    world.files.before = (asked) => {
      if (asked === operation) throw systemError('EIO');
    };
    world.store.compact();
    world.settle();
    const { totalBytes } = world.store;
    for (let turn = 0; turn < 20; turn++) {
      joined(world, {}).record.ended([]);
      world.store.commit();
      world.settle();
    }
    assert.ok(world.store.totalBytes < totalBytes + 20 * 300, 'nothing more than what the sessions take');
    assert.equal(world.troubles.length, 1);
    world.files.before = () => undefined;
    mock.timers.tick(1000);
    world.settle();
    assert.ok(world.store.totalBytes < 1.5 * world.store.liveBytes + 20 * 300);
  });
}
