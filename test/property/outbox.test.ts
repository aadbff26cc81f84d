// The outbox against a transport that keeps memory at random and looks at it later: what it was given must not change, and
// the bytes must be exactly the packets, in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Message } from '../../src/broker/routing/message.ts';
import { TopicTable } from '../../src/broker/routing/topics.ts';
import { OutboundAliases } from '../../src/flow/alias.ts';
import { FlushTurn } from '../../src/net/flush.ts';
import { Outbox } from '../../src/net/outbox.ts';
import type { Transport } from '../../src/net/transport.ts';
import { Framer } from '../../src/protocol/framer.ts';
import {
  encodeSubscriptionIdentifiers,
  PublishView,
  publishProperties,
  readPublish,
} from '../../src/protocol/publish.ts';

/** Takes bytes and, at random, keeps the memory for a while. */
class LyingTransport implements Transport {
  readonly info = { address: 'test', port: 0, localPort: 0, kind: 'memory', tls: null } as const;
  readonly arrived: Buffer[] = [];
  private kept: { bytes: Buffer; copy: Buffer }[] = [];
  private readonly lies: () => boolean;

  constructor(lies: () => boolean) {
    this.lies = lies;
  }

  get backlog(): number {
    return this.kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  write(bytes: Buffer): boolean {
    if (this.kept.length > 0 || this.lies()) {
      this.kept.push({ bytes, copy: Buffer.from(bytes) });
      return false;
    }
    this.arrived.push(Buffer.from(bytes));
    return true;
  }

  /** The kept memory leaves: it must be what it was when it was given. */
  release(): void {
    for (const { bytes, copy } of this.kept) {
      assert.ok(bytes.equals(copy), 'memory was changed while the transport kept it');
      this.arrived.push(copy);
    }
    this.kept = [];
  }

  attach(): void {}
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

const counters = { sentBytes: () => undefined, sentPublish: () => undefined };
const topics = new TopicTable();

interface Sent {
  readonly topic: string;
  readonly payload: string;
  readonly id: number;
  readonly identifiers: readonly number[];
  readonly user: string;
}

const message = fc.record({
  kind: fc.constant('message' as const),
  topic: fc.constantFrom('a', 'b/c', `long/${'x'.repeat(70)}`, 'y'.repeat(65_000)),
  size: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 100 }) }, fc.constantFrom(16_383, 16_384, 70_000, 200_000)),
  id: fc.nat({ max: 65_535 }),
  identifier: fc.option(fc.integer({ min: 1, max: 300 })),
  user: fc.string({ maxLength: 5 }).filter((text) => !text.includes('\0')),
});
const step = fc.oneof(
  { weight: 6, arbitrary: message },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ack' as const), id: fc.integer({ min: 1, max: 65_535 }) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'release' as const }) },
);

/** Reads the packets back, following aliases as a client does. */
function parse(bytes: Buffer, shape: 0 | 1): { acks: number[]; messages: Sent[] } {
  const acks: number[] = [];
  const messages: Sent[] = [];
  const aliases = new Map<number, string>();
  const view = new PublishView();
  new Framer(new Uint32Array(16).fill(268_435_460)).push(bytes, {
    frame(buffer, first, start, end) {
      if (first >> 4 !== 3) {
        acks.push(buffer.readUInt16BE(start));
        return true;
      }
      readPublish(view, shape === 1, true, buffer, first, start, end);
      const properties = publishProperties(view);
      const name = buffer.toString('utf8', view.topicStart, view.topicEnd);
      const topic = name === '' ? aliases.get(view.alias)! : name;
      if (view.alias > 0) aliases.set(view.alias, topic);
      messages.push({
        topic,
        payload: buffer.toString('latin1', view.payloadStart, end),
        id: view.id,
        identifiers: properties.subscriptionIdentifiers ?? [],
        user: properties.userProperties?.[0]?.[1] ?? '',
      });
      return true;
    },
  });
  return { acks, messages };
}

for (const shape of [0, 1] as const) {
  for (const aliases of shape === 1 ? [0, 2] : [0]) {
    test(`every packet arrives once, in order and unchanged (shape ${shape}, ${aliases} aliases)`, () => {
      fc.assert(
        fc.property(
          fc.array(step, { maxLength: 30 }),
          fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
          (steps, lies) => {
            let writes = 0;
            const transport = new LyingTransport(() => lies[writes++ % lies.length]!);
            const turn = new FlushTurn();
            const outbox = new Outbox(transport, turn, counters);
            outbox.shape = shape;
            if (aliases > 0) outbox.aliases = new OutboundAliases(aliases);
            const wanted: Sent[] = [];
            const acks: number[] = [];
            const settle = (): void => {
              transport.release();
              outbox.writable();
            };
            for (const one of steps) {
              if (one.kind === 'message') {
                const payload = String.fromCharCode(97 + (wanted.length % 26)).repeat(one.size);
                const identifiers = one.identifier === null || shape === 0 ? [] : [one.identifier];
                const user = shape === 0 ? '' : one.user;
                const made = Message.made(
                  topics.internName(one.topic),
                  Buffer.from(payload),
                  one.id > 0 ? 1 : 0,
                  false,
                  user === '' ? {} : { userProperties: [['k', user]] },
                  null,
                  0,
                );
                outbox.push(made, one.id > 0 ? 2 : 0, one.id, encodeSubscriptionIdentifiers(identifiers));
                wanted.push({ topic: one.topic, payload, id: one.id, identifiers, user });
              } else if (one.kind === 'ack') {
                outbox.pushAck(0x40, one.id);
                acks.push(one.id);
              } else if (one.kind === 'flush') outbox.flush(turn);
              else settle();
            }
            for (let i = 0; i < 100 && (outbox.messages > 0 || outbox.controlBytes > 0 || transport.backlog > 0); i++) {
              outbox.flush(turn);
              settle();
            }
            const got = parse(Buffer.concat(transport.arrived), shape);
            assert.deepEqual(got.acks, acks);
            assert.deepEqual(got.messages, wanted);
          },
        ),
        { numRuns: 200 },
      );
    });
  }
}
