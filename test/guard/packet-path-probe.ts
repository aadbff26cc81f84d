// Runs the walk of a PUBLISH through the real modules, without sockets, and prints how many heap bytes each packet cost.
// A process of its own, started by packet-path.test.ts with --expose-gc and a young generation so large that nothing is
// collected while it counts.
//
//   node --expose-gc --max-semi-space-size=128 packet-path-probe.js
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Message } from '../../src/broker/routing/message.ts';
import type { Plan } from '../../src/broker/routing/plan.ts';
import { Retained } from '../../src/broker/routing/retained.ts';
import { Router } from '../../src/broker/routing/router.ts';
import type { Subscriber } from '../../src/broker/routing/subscriber.ts';
import { Subscription } from '../../src/broker/routing/subscription.ts';
import { TopicTable } from '../../src/broker/routing/topics.ts';
import { Trie } from '../../src/broker/routing/trie.ts';
import { FlushTurn } from '../../src/net/flush.ts';
import { Outbox } from '../../src/net/outbox.ts';
import type { Transport } from '../../src/net/transport.ts';
import { Framer } from '../../src/protocol/framer.ts';
import type { FrameSink } from '../../src/protocol/packets.ts';
import { PublishView, readPublish } from '../../src/protocol/publish.ts';

const PACKETS_A_TURN = 200;
const TURNS = 250;
const NO_EXTRA = Buffer.alloc(0);

/** Takes everything at once and counts it. */
class Drain implements Transport {
  readonly info = { address: 'memory', port: 0, localPort: 0, kind: 'memory', tls: null } as const;
  readonly backlog = 0;
  bytes = 0;
  attach(): void {}
  write(bytes: Buffer): boolean {
    this.bytes += bytes.length;
    return true;
  }
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

/** A destination that does of a session's work what concerns memory: it hands the message to an outbox. */
class Receiver implements Subscriber {
  readonly isOnline = true;
  readonly isStored = false;
  readonly drain = new Drain();
  readonly #outbox: Outbox;

  constructor(turn: FlushTurn) {
    this.#outbox = new Outbox(this.drain, turn, { sentBytes: () => undefined, sentPublish: () => undefined });
  }

  hasPlaceFor(): boolean {
    return true;
  }

  deliver(message: Message, _subscription: Subscription, _plan: Plan | null, _index: number): boolean {
    this.#outbox.push(message, 0, 0, NO_EXTRA);
    return true;
  }
}

/** Reads packets and, if it routes, publishes them. */
class Reader implements FrameSink {
  readonly #view = new PublishView();
  readonly #topics: TopicTable;
  readonly #router: Router;
  readonly #routes: boolean;
  found = 0;

  constructor(topics: TopicTable, router: Router, routes: boolean) {
    this.#topics = topics;
    this.#router = router;
    this.#routes = routes;
  }

  frame(buffer: Buffer, first: number, start: number, end: number): boolean {
    const view = this.#view;
    readPublish(view, false, false, buffer, first, start, end);
    const topic = this.#topics.intern(buffer, view.topicStart, view.topicEnd);
    if (this.#routes) this.found += this.#router.publish(Message.received(view, topic, null, 0, true, 0));
    else this.found += this.#router.planFor(topic).subscriptions.length;
    return true;
  }
}

function packets(): Buffer {
  const topic = Buffer.from('house/garden/fountain/2');
  const body = Buffer.concat([Buffer.from([0, topic.length]), topic, Buffer.alloc(64, 'x')]);
  const packet = Buffer.concat([Buffer.from([0x30, body.length]), body]);
  return Buffer.concat(Array.from({ length: PACKETS_A_TURN }, () => packet));
}

/** Heap bytes per packet of a walk with this many receivers; without routing it ends at the plan. */
async function bytesPerPacket(receivers: number, routes: boolean): Promise<number> {
  const topics = new TopicTable();
  const trie = new Trie(topics);
  const turn = new FlushTurn();
  const all = Array.from({ length: receivers }, () => new Receiver(turn));
  for (const receiver of all) trie.add(new Subscription(receiver, 'house/#', null, 0, false, false, []), null);
  const reader = new Reader(topics, new Router(topics, trie, new Retained()), routes);
  const framer = new Framer(new Uint32Array(16).fill(1_000_000));
  const chunk = packets();
  const walk = async () => {
    for (let i = 0; i < TURNS; i++) {
      framer.push(chunk, reader);
      await nextTurn();
    }
  };
  await walk();
  if (globalThis.gc === undefined) throw new Error('start this with --expose-gc');
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  await walk();
  const grown = process.memoryUsage().heapUsed - before;
  const expected = 2 * TURNS * PACKETS_A_TURN * receivers;
  if (reader.found !== expected) throw new Error(`${reader.found} deliveries instead of ${expected}`);
  if (routes && all.some((receiver) => receiver.drain.bytes !== 2 * TURNS * chunk.length))
    throw new Error('bytes are missing');
  return grown / (TURNS * PACKETS_A_TURN);
}

const result = {
  read: await bytesPerPacket(1, false),
  one: await bytesPerPacket(1, true),
  ten: await bytesPerPacket(10, true),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
