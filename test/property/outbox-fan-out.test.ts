// Several outboxes of one turn: receivers of the same messages are sent the same bytes again, and whatever one has of its
// own (an acknowledgement in front, another identifier, a message less, another version, an alias) must show in its bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Message } from '../../src/broker/routing/message.ts';
import { TopicTable } from '../../src/broker/routing/topics.ts';
import { OutboundAliases } from '../../src/flow/alias.ts';
import { FlushTurn } from '../../src/net/flush.ts';
import { Outbox } from '../../src/net/outbox.ts';
import { encodeSubscriptionIdentifiers } from '../../src/protocol/publish.ts';
import { CountedBytes, FakeTransport, nextTurn } from '../support/fake-transport.ts';

const topics = new TopicTable();
const NO_EXTRA = Buffer.alloc(0);
const IDENTIFIER = encodeSubscriptionIdentifiers([7]);
const MOST_MESSAGES = 6;

/** What one receiver has of its own. */
interface Receiver {
  readonly shape: 0 | 1;
  /** Packet identifier of its first message, 0 for QoS 0. */
  readonly firstId: number;
  readonly hasAck: boolean;
  readonly hasIdentifier: boolean;
  readonly hasAliases: boolean;
  /** The message that it does not get, of MOST_MESSAGES. */
  readonly without: number;
  /** Whether its transport keeps the memory that it is given. */
  readonly keeps: boolean;
}

const KEYS = ['shape', 'firstId', 'hasAck', 'hasIdentifier', 'hasAliases', 'without', 'keeps'] as const;
const seldom = fc.nat({ max: 2 }).map((dice) => dice === 0);
const receiver: fc.Arbitrary<Receiver> = fc.record({
  shape: seldom.map((is) => (is ? 1 : 0)),
  firstId: fc.constantFrom(0, 0, 0, 1, 2),
  hasAck: seldom,
  hasIdentifier: seldom,
  hasAliases: seldom,
  without: fc.constantFrom(MOST_MESSAGES, MOST_MESSAGES, MOST_MESSAGES, 0, 1, 2),
  keeps: seldom,
});
/** Two that are alike, and others that differ from them in one thing at the most. */
const receivers = fc
  .tuple(receiver, fc.array(fc.tuple(fc.constantFrom(...KEYS), receiver), { maxLength: 8 }))
  .map(([base, changes]) => [base, base, ...changes.map(([key, other]) => ({ ...base, [key]: other[key] }))]);

/** Keeps what it is given, and tells whether somebody wrote into it. */
class KeepingTransport extends FakeTransport {
  private readonly given: { bytes: Buffer; copy: Buffer }[] = [];

  override write(bytes: Buffer): boolean {
    const isFree = super.write(bytes);
    if (!isFree) this.given.push({ bytes, copy: Buffer.from(bytes) });
    return isFree;
  }

  override drain(): void {
    for (const { bytes, copy } of this.given) assert.deepEqual(bytes, copy, 'kept memory was changed');
    super.drain();
  }
}

/** Sends messages to receivers, all in one turn or each in its own, and returns the bytes of each. */
async function sendAll(all: readonly Receiver[], sizes: readonly number[], isOneTurn: boolean): Promise<Buffer[]> {
  const turn = new FlushTurn();
  const transports: KeepingTransport[] = [];
  const outboxes: Outbox[] = [];
  const messages = sizes.map((size, i) =>
    Message.made(topics.internName(`t/${i}`), Buffer.alloc(size, 97 + i), 1, false, { contentType: 'x' }, null, 0),
  );
  for (const { shape, firstId, hasAck, hasIdentifier, hasAliases, without, keeps } of all) {
    const transport = new KeepingTransport();
    transport.isStuck = keeps;
    transports.push(transport);
    const outbox = new Outbox(transport, turn, new CountedBytes());
    outbox.shape = shape;
    if (hasAliases && shape === 1) outbox.aliases = new OutboundAliases(5);
    if (hasAck) outbox.pushAck(0x40, 9);
    const wanted = messages.filter((_message, i) => i !== without);
    for (const [i, message] of wanted.entries()) {
      const id = firstId === 0 ? 0 : firstId + i;
      outbox.push(message, id > 0 ? 2 : 0, id, hasIdentifier && shape === 1 ? IDENTIFIER : NO_EXTRA);
    }
    outboxes.push(outbox);
    if (!isOneTurn) await nextTurn();
  }
  await nextTurn();
  for (const [i, transport] of transports.entries()) {
    transport.drain();
    outboxes[i]!.writable();
  }
  await nextTurn();
  return transports.map(({ bytes }) => bytes);
}

test('outboxes that share a turn send what each would send alone', async () => {
  const sizes = fc.array(fc.constantFrom(0, 10, 60, 20_000, 30_000), { minLength: 1, maxLength: MOST_MESSAGES });
  await fc.assert(
    fc.asyncProperty(receivers, sizes, async (all, lengths) => {
      assert.deepEqual(await sendAll(all, lengths, true), await sendAll(all, lengths, false));
    }),
    { numRuns: 150 },
  );
});

test('the same messages to many are encoded twice and written to each, and counted for each', async () => {
  const turn = new FlushTurn();
  const counted = new CountedBytes();
  const transports = Array.from({ length: 5 }, () => new FakeTransport());
  const message = Message.made(topics.internName('t'), Buffer.from('hello'), 0, false, {}, null, 0);
  let asked = 0;
  const encode = message.frame.bind(message);
  message.frame = (shape, withId) => {
    asked += 1;
    return encode(shape, withId);
  };
  for (const transport of transports) {
    const outbox = new Outbox(transport, turn, counted);
    outbox.push(message, 0, 0, NO_EXTRA);
    outbox.push(message, 0, 0, NO_EXTRA);
  }
  await nextTurn();
  assert.equal(asked, 4);
  assert.deepEqual(
    transports.map(({ bytes }) => bytes.toString('latin1')),
    Array.from({ length: 5 }, () => '0\b\0\x01thello'.repeat(2)),
  );
  assert.deepEqual([counted.publishes, counted.payload, counted.bytes], [10, 50, 100]);
});
