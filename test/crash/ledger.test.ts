// The harness's own eyes: each kind of broken promise is told to the ledger, and it must say so; what is allowed it must let
// pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from './connection.ts';
import { Unproven } from './horizon.ts';
import { type FaultKind, Ledger } from './ledger.ts';
import { LEAST_LENGTH, type Message, type MessagePlan } from './message.ts';
import { SessionRecord } from './session-record.ts';

/** A ledger with a durable session that is subscribed to everything with QoS 2. */
class Bench {
  readonly ledger = new Ledger('test');
  readonly session = new SessionRecord(this.ledger, 'sub', true);
  private readonly unproven = new Unproven(this.ledger.horizon);

  constructor(filter = 'm/#') {
    this.ledger.started();
    this.session.subscribing(filter, 2).ackedAt = this.ledger.tick();
  }

  /** Publishes, and is answered. */
  published(plan: Partial<MessagePlan> = {}, isAcked = true): Message {
    const base = { publisher: 'pub', topic: 'm/a', qos: 1, retain: false, length: LEAST_LENGTH, expiry: null };
    const message = this.ledger.message({ ...base, isWill: false, ...plan });
    this.ledger.sent(message, 'pub');
    if (isAcked) this.ledger.acknowledged(message, 'PUBACK', 0);
    return message;
  }

  deliver(message: Message, parts: Partial<Delivery> = {}): void {
    const { topic, qos } = message.plan;
    const base = { topic, qos, payload: message.payload, retain: false, dup: false, id: 1, expiry: null };
    const got = this.session.receive({ ...base, ...parts });
    got?.claims.push(this.unproven.claim(this.ledger.tick(), this.ledger.life));
  }

  /** The broker answers, and notes something that is newer than everything else. */
  prove(): void {
    this.unproven.answered(this.ledger.tick(), this.ledger.tick());
    this.published({ topic: 'other' });
  }

  restart(): void {
    this.ledger.killed();
    this.ledger.started();
  }

  get found(): FaultKind[] {
    return this.ledger.faults.map(({ kind }) => kind);
  }
}

test('an acknowledged message that did not come is missing, one that was not acknowledged is not', () => {
  const bench = new Bench();
  const lost = bench.published();
  bench.published({}, false);
  bench.deliver(bench.published());
  assert.deepEqual(bench.session.missing(), [lost]);
  assert.deepEqual(bench.found, []);
});

test('a message is due only to a subscription that was acknowledged before and stayed', () => {
  const bench = new Bench('m/b');
  bench.published();
  const late = bench.session.subscribing('m/a', 1);
  bench.published();
  late.ackedAt = bench.ledger.tick();
  const due = bench.published();
  assert.deepEqual(bench.session.missing(), [due]);
  bench.session.removing('m/a');
  assert.deepEqual(bench.session.missing(), []);
});

test('QoS 2 must not come twice, QoS 1 may after a kill', () => {
  const bench = new Bench();
  const [once, often] = [bench.published({ qos: 2 }), bench.published()];
  bench.deliver(once);
  bench.deliver(often);
  bench.restart();
  bench.deliver(often, { dup: true });
  assert.deepEqual(bench.found, []);
  bench.deliver(once, { dup: true });
  assert.deepEqual(bench.found, ['duplicate']);
});

test('QoS 1 must not come again when the broker must know that it was received, unless it was published again', () => {
  const bench = new Bench();
  const message = bench.published({}, false);
  bench.deliver(message);
  bench.prove();
  bench.restart();
  bench.ledger.sent(message, 'pub');
  bench.deliver(message);
  assert.deepEqual(bench.found, []);
  bench.prove();
  bench.restart();
  bench.deliver(message);
  assert.deepEqual(bench.found, ['duplicate']);
});

test('a message must not come again after a drain', () => {
  const bench = new Bench();
  const message = bench.published();
  bench.deliver(message);
  bench.session.settle();
  bench.deliver(message);
  assert.deepEqual(bench.found, ['duplicate']);
});

test('messages of one publisher, topic and QoS come in their order', () => {
  const bench = new Bench();
  const [first, second, other] = [bench.published(), bench.published(), bench.published({ topic: 'm/b' })];
  bench.deliver(other);
  bench.deliver(second);
  assert.deepEqual(bench.found, []);
  bench.deliver(first);
  assert.deepEqual(bench.found, ['order']);
});

test('changed bytes, another topic, and what nobody published are seen', () => {
  const bench = new Bench();
  const message = bench.published();
  const changed = message.payload;
  changed[LEAST_LENGTH - 1]! ^= 1;
  bench.deliver(message, { payload: changed });
  bench.deliver(message, { topic: 'm/b' });
  bench.deliver(message, { payload: Buffer.from('77 nobody said this') });
  assert.deepEqual(bench.found, ['altered', 'altered', 'altered']);
});

test('nothing may come without a subscription, after its removal, or with another QoS', () => {
  const bench = new Bench();
  const message = bench.published({ qos: 2 });
  bench.deliver(message, { qos: 1 });
  bench.session.removing('m/#');
  bench.session.removed('m/#');
  bench.deliver(bench.published());
  assert.deepEqual(bench.found, ['unasked', 'unasked']);
});

test('a retained message is the last acknowledged one or a later one', () => {
  const { ledger, published } = ((bench) => ({ ledger: bench.ledger, published: bench.published.bind(bench) }))(
    new Bench(),
  );
  const set = (length: number, isAcked: boolean): Message => published({ topic: 'r/a', retain: true, length }, isAcked);
  const [old, value, unheard] = [set(20, true), set(20, true), set(20, false)];
  const allowed = ledger.retained.allowed('r/a', ledger.tick());
  assert.deepEqual(
    [allowed.has(old), allowed.has(value), allowed.has(unheard), allowed.has(null)],
    [false, true, true, false],
  );
  set(0, true);
  assert.deepEqual([...ledger.retained.allowed('r/a', ledger.tick())], [null]);
});

test('a held will must come after a kill, and only once; a proper farewell takes it back', () => {
  const bench = new Bench('w/#');
  const { ledger } = bench;
  const unproven = new Unproven(ledger.horizon);
  const join = (id: string) => {
    const plan = {
      publisher: id,
      topic: `w/${id}`,
      qos: 2,
      retain: false,
      length: LEAST_LENGTH,
      expiry: null,
      isWill: true,
    };
    const will = ledger.wills.connecting(id, ledger.message(plan), 0)!;
    ledger.wills.connected(id, will, false, null);
    return will;
  };
  const [held, gone] = [join('held'), join('gone')];
  ledger.wills.disconnecting(gone, unproven.claim(ledger.tick(), ledger.life));
  unproven.closedByBroker(ledger.tick());
  bench.published({ topic: 'other' });
  bench.restart();
  assert.deepEqual(ledger.wills.missing(), [held]);
  bench.deliver(held.message);
  assert.deepEqual(ledger.wills.missing(), []);
  bench.deliver(held.message);
  bench.deliver(gone.message);
  assert.deepEqual(bench.found, ['duplicate', 'will']);
});

test('an interval that stands still is seen', () => {
  const bench = new Bench();
  const message = bench.published({ expiry: 100 });
  message.firstSentMs -= 60_000;
  message.ackedMs -= 60_000;
  bench.deliver(message, { expiry: 40 });
  assert.deepEqual(bench.found, []);
  bench.restart();
  bench.deliver(message, { expiry: 100, dup: true });
  assert.deepEqual(bench.found, ['expiry']);
});
