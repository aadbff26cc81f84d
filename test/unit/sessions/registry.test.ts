import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Holder, SessionRegistry } from '../../../src/broker/sessions/registry.ts';
import type { Session } from '../../../src/broker/sessions/session.ts';
import { NEVER_EXPIRES } from '../../../src/protocol/constants.ts';
import type { Will } from '../../../src/protocol/packets.ts';
import { Wheel } from '../../../src/util/wheel.ts';
import { SessionRig } from '../../support/builders.ts';

/** A registry whose time is a number. */
class Rig {
  readonly base = new SessionRig();
  readonly wheel = new Wheel(100, 0);
  readonly wills: string[] = [];
  readonly registry: SessionRegistry;
  now = 0;

  constructor() {
    this.registry = new SessionRegistry(this.base.host, this.base.routing.trie, this.wheel, ({ clientId, will }) => {
      this.wills.push(`${clientId} ${will?.topic}`);
      return null;
    });
  }

  /** A client connects; being taken over, it lets go at once as a peer does. */
  connect(
    clientId: string,
    cleanStart: boolean,
    expiry = 0,
  ): { session: Session; wasPresent: boolean; taken: () => boolean } {
    let taken = false;
    const holder: Holder = {
      takenOver: () => {
        taken = true;
        this.registry.release(opened.session, this.now);
      },
    };
    const opened = this.registry.open(clientId, cleanStart, holder);
    opened.session.expiryInterval = expiry;
    return { ...opened, taken: () => taken };
  }

  /** Time passes. */
  pass(seconds: number): void {
    this.now += seconds * 1000;
    this.wheel.advance(this.now);
  }
}

const willWith = (willDelayInterval?: number): Will => ({
  topic: 'gone',
  payload: Buffer.from('x'),
  qos: 0,
  retain: false,
  properties: willDelayInterval === undefined ? {} : { willDelayInterval },
});

test('a session without expiry ends with its connection, subscriptions and all', () => {
  const rig = new Rig();
  const { session } = rig.connect('a', true);
  session.subscriptions.set('t', rig.base.routing.subscribe(session, 't'));
  assert.deepEqual([rig.registry.connected, rig.registry.total, rig.base.routing.trie.count], [1, 1, 1]);
  rig.registry.release(session, rig.now);
  rig.registry.release(session, rig.now);
  assert.deepEqual([rig.registry.connected, rig.registry.total, rig.base.routing.trie.count], [0, 0, 0]);
  assert.equal(rig.registry.get('a'), null);
  assert.equal(rig.registry.maximum, 1);
});

test('a session with expiry is there when its client comes back in time, and gone when not', () => {
  const rig = new Rig();
  const first = rig.connect('a', false, 10);
  assert.equal(first.wasPresent, false);
  rig.registry.release(first.session, rig.now);
  rig.pass(9);
  const second = rig.connect('a', false, 10);
  assert.deepEqual([second.wasPresent, second.session === first.session], [true, true]);
  rig.pass(100);
  assert.equal(rig.registry.get('a'), first.session);
  rig.registry.release(second.session, rig.now);
  rig.pass(11);
  assert.equal(rig.registry.get('a'), null);
  assert.equal(rig.base.metric('clientsExpired'), 1);
  assert.deepEqual(rig.base.lines, ['notice Expiring client a due to timeout.']);
  assert.equal(rig.wheel.size, 0);
});

test('never means never, but persistent_client_expiration bounds it', () => {
  const rig = new Rig();
  rig.registry.release(rig.connect('a', false, NEVER_EXPIRES).session, 0);
  assert.equal(rig.wheel.size, 0);
  rig.registry.maximumExpiry = 60;
  rig.registry.release(rig.connect('b', false, NEVER_EXPIRES).session, 0);
  rig.pass(61);
  assert.deepEqual(
    [...rig.registry.sessions()].map(({ clientId }) => clientId),
    ['a'],
  );
});

test('clean start makes a new session of an old one', () => {
  const rig = new Rig();
  const { session } = rig.connect('a', false, 100);
  session.subscriptions.set('t', rig.base.routing.subscribe(session, 't'));
  rig.registry.release(session, rig.now);
  const next = rig.connect('a', true, 100);
  assert.deepEqual([next.wasPresent, next.session === session], [false, false]);
  assert.equal(rig.base.routing.trie.count, 0);
  rig.pass(200);
  assert.equal(rig.registry.get('a'), next.session);
});

test('a second connection with the same client id takes over, whether it starts clean or not', () => {
  for (const cleanStart of [false, true]) {
    const rig = new Rig();
    const first = rig.connect('a', false, 100);
    const second = rig.connect('a', cleanStart, 100);
    assert.equal(first.taken(), true);
    assert.deepEqual([second.wasPresent, second.session === first.session], [!cleanStart, !cleanStart]);
    assert.deepEqual([rig.registry.connected, rig.registry.total], [1, 1]);
    rig.pass(1000);
    assert.equal(rig.registry.get('a'), second.session);
  }
  const rig = new Rig();
  const first = rig.connect('a', true, 0);
  const second = rig.connect('a', false, 0);
  assert.deepEqual([first.taken(), second.wasPresent, rig.registry.connected], [true, false, 1]);
});

test('a will without delay is published when the connection is gone, and only once', () => {
  const rig = new Rig();
  const { session } = rig.connect('a', false, 100);
  session.will = willWith();
  rig.registry.release(session, rig.now);
  rig.pass(1000);
  assert.deepEqual(rig.wills, ['a gone']);
});

test('a will waits for its delay, but not beyond the end of the session', () => {
  for (const [delay, expiry, early, late] of [
    [5, 100, 4, 2],
    [50, 10, 9, 2],
  ] as const) {
    const rig = new Rig();
    const { session } = rig.connect('a', false, expiry);
    session.will = willWith(delay);
    rig.registry.release(session, rig.now);
    rig.pass(early);
    assert.deepEqual(rig.wills, []);
    rig.pass(late);
    assert.deepEqual(rig.wills, ['a gone']);
  }
});

test('a client that is back in time has no will published [MQTT-3.1.3-9]; one that starts clean ends the session', () => {
  for (const cleanStart of [false, true]) {
    const rig = new Rig();
    const { session } = rig.connect('a', false, 100);
    session.will = willWith(5);
    rig.registry.release(session, rig.now);
    rig.pass(3);
    rig.connect('a', cleanStart, 100);
    rig.pass(50);
    assert.deepEqual(rig.wills, cleanStart ? ['a gone'] : []);
  }
});

test('a session that ends at once publishes its will in spite of the delay', () => {
  const rig = new Rig();
  const { session } = rig.connect('a', true, 0);
  session.will = willWith(60);
  rig.registry.release(session, rig.now);
  assert.deepEqual(rig.wills, ['a gone']);
});

test('when the broker stops every will goes out, also one that waits', async () => {
  const rig = new Rig();
  const away = rig.connect('away', false, 100);
  away.session.will = willWith(50);
  rig.registry.release(away.session, rig.now);
  rig.connect('here', true).session.will = willWith();
  rig.connect('none', true);
  await rig.registry.publishWills();
  assert.deepEqual(rig.wills.sort(), ['away gone', 'here gone']);
  rig.pass(100);
  assert.equal(rig.wills.length, 2);
});
