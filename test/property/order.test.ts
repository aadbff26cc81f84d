// Order and completeness of what a subscriber gets, whatever happens to its connections: they are cut at any byte, packets
// come in pieces, acknowledgements are lost, late and out of order, the receive maximum changes from one to the next. The
// subscriber is a model of what the standard asks of a client; the broker is the real one, reached through memory.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type Broker, startBroker } from '../../src/broker/broker.ts';
import { configFrom } from '../../src/config/from-program.ts';
import { memoryPair } from '../../src/net/memory.ts';
import type { Transport } from '../../src/net/transport.ts';
import { PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL } from '../../src/protocol/constants.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { PublishView, readPublish } from '../../src/protocol/publish.ts';
import { MQTT5, MQTT311, type Profile } from '../../src/protocol/version.ts';
import { connectBytes, publishBytes } from '../support/raw-client.ts';

const TOPICS = ['a', 'b'] as const;
const ANYTHING = new Uint32Array(16).fill(0xffff_ffff);

/** One message of a run: its topic and QoS; its place in the run is its payload. */
interface Sent {
  readonly topic: 0 | 1;
  readonly qos: 0 | 1 | 2;
}

/** What happens in a run. */
interface Plan {
  readonly messages: readonly Sent[];
  /** Bytes after which each connection is cut; the one after the last stays. */
  readonly cuts: readonly number[];
  readonly receiveMaximum: readonly number[];
  /** How many acknowledgements the subscriber keeps back, and whether it then sends the last one first. */
  readonly keepsBack: number;
  readonly isShuffled: boolean;
  readonly longestChunk: number;
  readonly seed: number;
  readonly profile: Profile;
}

/** Numbers in [0, 1) from a seed. */
function randomFrom(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a client remembers over its connections, and what it checks in each. */
class Subscriber {
  /** Places of the messages that came, those of QoS 1 without repetitions, in the order in which they came first. */
  readonly got: number[] = [];
  /** QoS 2 identifiers between PUBLISH and PUBREL. */
  private readonly unreleased = new Map<number, number>();
  /** When the last PUBREC of each identifier left. */
  readonly receivedAt = new Map<number, number>();
  received = 0;
  private readonly plan: Plan;
  private readonly clientId: string;
  private readonly broker: Broker;
  private readonly inOneOrder: boolean;
  private readonly window: number;

  constructor(plan: Plan, clientId: string, broker: Broker, window: number) {
    this.plan = plan;
    this.clientId = clientId;
    this.broker = broker;
    this.window = window;
    this.inOneOrder = window === 1;
  }

  /** One connection, from CONNECT until `bytes` have come or nothing more happens; subscribes if it is the first. */
  async connection(number: number, bytes: number, whileConnected: () => void): Promise<void> {
    const { plan } = this;
    const random = randomFrom(plan.seed + number);
    const [ours, theirs] = memoryPair({ random, refuse: 0.1, longestChunk: plan.longestChunk });
    this.broker.accept(theirs);
    const receiveMaximum = plan.receiveMaximum[number % plan.receiveMaximum.length]!;
    const connection = new Connection(this, ours, plan, bytes);
    const limit = plan.profile === MQTT5 ? Math.min(this.window, receiveMaximum) : this.window;
    connection.quota = limit;
    ours.attach(connection);
    const properties = plan.profile === MQTT5 ? { sessionExpiryInterval: 1000, receiveMaximum } : {};
    ours.write(connectBytes(this.clientId, { profile: plan.profile, cleanStart: false, properties }));
    if (number === 0) ours.write(subscribeBytes(plan.profile));
    let idle = 0;
    let hasPublished = false;
    while (!connection.isOver && idle < 30) {
      const before = connection.arrived;
      await nextTurn();
      if (connection.arrived > 0 && !hasPublished) {
        hasPublished = true;
        whileConnected();
      }
      idle = connection.arrived === before ? idle + 1 : 0;
      // Who gets nothing more acknowledges what it kept back.
      if (idle > 8) connection.acknowledgeAll();
    }
    ours.destroy();
    while (!connection.isOver) await nextTurn();
    // The broker has noticed, too.
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }

  /** A PUBLISH came; the answer's type. `seen` are the places that came in this connection. */
  take(place: number, qos: number, id: number, isDup: boolean, seen: number[]): number {
    const { messages } = this.plan;
    const { topic } = messages[place]!;
    const rivals = seen.filter((other) => {
      const rival = messages[other]!;
      if (this.inOneOrder && rival.qos > 0 && qos > 0) return true;
      return rival.topic === topic && rival.qos === qos;
    });
    assert.ok(
      rivals.every((other) => other < place),
      `${place} came behind ${rivals.filter((other) => other >= place)} [MQTT-4.6.0-5]`,
    );
    seen.push(place);
    if (qos === 2) {
      const known = this.unreleased.get(id);
      if (known !== undefined) {
        assert.equal(known, place, 'an identifier is another message before PUBREL');
        assert.ok(isDup, 'a repetition is marked');
        return PUBREC;
      }
      this.unreleased.set(id, place);
    }
    if (!this.got.includes(place)) this.got.push(place);
    else assert.ok(qos === 1 && isDup, `message ${place} of QoS ${qos} came twice`);
    return qos === 1 ? PUBACK : PUBREC;
  }

  release(id: number): void {
    this.unreleased.delete(id);
  }

  /** At the end of the run. */
  check(): void {
    const { messages } = this.plan;
    for (const qos of [0, 1, 2]) {
      for (const topic of [0, 1]) {
        const isOne = (place: number): boolean => messages[place]!.topic === topic && messages[place]!.qos === qos;
        const got = this.got.filter(isOne);
        const sent = [...messages.keys()].filter(isOne);
        const sorted = [...got].sort((a, b) => a - b);
        assert.deepEqual(got, sorted, `QoS ${qos} of one topic, first deliveries [MQTT-4.6.0-5]`);
        if (qos > 0) assert.deepEqual(got, sent, `QoS ${qos} is complete`);
      }
    }
    if (this.inOneOrder) {
      const got = this.got.filter((place) => messages[place]!.qos > 0);
      assert.deepEqual(
        got,
        [...got].sort((a, b) => a - b),
        'max_inflight_messages 1 keeps one order',
      );
    }
  }
}

/** One connection of the subscriber. */
class Connection {
  arrived = 0;
  isOver = false;
  quota = 0;
  private readonly owner: Subscriber;
  private readonly transport: Transport;
  private readonly plan: Plan;
  private readonly bytes: number;
  private readonly framer = new Framer(ANYTHING);
  private readonly view = new PublishView();
  private readonly random: () => number;
  private readonly seen: number[] = [];
  private readonly unsent: Buffer[] = [];
  private readonly unacknowledged = new Set<number>();
  /** The turn of the PUBREC whose PUBREL came last. */
  private released = 0;

  constructor(owner: Subscriber, transport: Transport, plan: Plan, bytes: number) {
    this.owner = owner;
    this.transport = transport;
    this.plan = plan;
    this.bytes = bytes;
    this.random = randomFrom(plan.seed ^ bytes);
  }

  receive(chunk: Buffer): void {
    const left = Math.max(0, this.bytes - this.arrived);
    this.arrived += chunk.length;
    this.framer.push(chunk.subarray(0, left), {
      frame: (buffer, first, start, end) => {
        this.frame(buffer, first, start, end);
        return true;
      },
    });
    if (this.arrived >= this.bytes) this.cut();
  }

  writable(): void {}

  closed(): void {
    this.isOver = true;
  }

  acknowledgeAll(): void {
    while (this.unsent.length > 0) this.sendOne();
  }

  private frame(buffer: Buffer, first: number, start: number, end: number): void {
    const type = first >> 4;
    if (type === PUBREL) {
      const id = buffer.readUInt16BE(start);
      const turn = this.owner.receivedAt.get(id)!;
      assert.ok(turn > this.released, 'PUBRELs come in the order of the PUBRECs, on the next connection too');
      this.released = turn;
      this.owner.release(id);
      this.keep(PUBCOMP, id);
    }
    if (type !== PUBLISH) return;
    const { view } = this;
    readPublish(view, this.plan.profile.hasProperties, true, buffer, first, start, end);
    const place = Number(buffer.toString('latin1', view.payloadStart, end));
    if (view.qos > 0) {
      this.unacknowledged.add(view.id);
      assert.ok(this.unacknowledged.size <= this.quota, 'more unacknowledged than the receive maximum [MQTT-3.3.4-9]');
    }
    const answer = this.owner.take(place, view.qos, view.id, (first & 8) !== 0, this.seen);
    if (view.qos > 0) this.keep(answer, view.id);
  }

  private keep(type: number, id: number): void {
    this.unsent.push(Buffer.from([(type << 4) | (type === PUBREL ? 2 : 0), 2, id >> 8, id & 0xff]));
    while (this.unsent.length > this.plan.keepsBack) this.sendOne();
  }

  private sendOne(): void {
    const bytes = (this.plan.isShuffled ? this.unsent.pop() : this.unsent.shift())!;
    const type = bytes[0]! >> 4;
    const id = bytes.readUInt16BE(2);
    if (type === PUBREC) {
      this.owner.received += 1;
      this.owner.receivedAt.set(id, this.owner.received);
    } else this.unacknowledged.delete(id);
    this.transport.write(bytes);
  }

  /** The line breaks: some of what was to be sent may have left, the last of it in part. */
  private cut(): void {
    const last = this.unsent.shift();
    if (last !== undefined) this.transport.write(last.subarray(0, Math.floor(this.random() * last.length)));
    this.transport.destroy();
  }
}

function subscribeBytes(profile: Profile): Buffer {
  const filters = TOPICS.flatMap((topic) => [0, 1, topic.charCodeAt(0), 2]);
  const properties = profile.hasProperties ? [0] : [];
  const body = [0, 1, ...properties, ...filters];
  return Buffer.from([0x82, body.length, ...body]);
}

/** A publisher without bounds of its own that answers each PUBREC. */
function openPublisher(broker: Broker, clientId: string): { send(place: number, sent: Sent): void; close(): void } {
  const [ours, theirs] = memoryPair();
  broker.accept(theirs);
  const framer = new Framer(ANYTHING);
  ours.attach({
    receive: (chunk) =>
      framer.push(chunk, {
        frame(buffer, first, start) {
          if (first >> 4 === PUBREC) ours.write(Buffer.from([0x62, 2, buffer[start]!, buffer[start + 1]!]));
          return true;
        },
      }),
    writable: () => undefined,
    closed: () => undefined,
  });
  ours.write(connectBytes(clientId, { profile: MQTT311 }));
  return {
    send: (place, { topic, qos }) =>
      void ours.write(publishBytes(MQTT311, TOPICS[topic], String(place), qos, place + 1)),
    close: () => ours.destroy(),
  };
}

const plans = fc.record({
  messages: fc.array(
    fc.record({ topic: fc.constantFrom<0 | 1>(0, 1), qos: fc.constantFrom<0 | 1 | 2>(0, 1, 1, 2, 2) }),
    { minLength: 1, maxLength: 60 },
  ),
  cuts: fc.array(fc.integer({ min: 1, max: 250 }), { maxLength: 8 }),
  receiveMaximum: fc.array(fc.constantFrom(1, 2, 5, 65_535), { minLength: 1, maxLength: 4 }),
  keepsBack: fc.nat({ max: 4 }),
  isShuffled: fc.boolean(),
  longestChunk: fc.constantFrom(1, 3, 9, 60, 1000),
  seed: fc.nat({ max: 100_000 }),
  profile: fc.constantFrom(MQTT5, MQTT311),
});

let runs = 0;

for (const window of [1, 3, 20, 0]) {
  test(`no cut connection changes the order or loses a message (max_inflight_messages ${window}) [MQTT-4.4.0-1, MQTT-4.6.0-5, MQTT-4.6.0-6, MQTT-3.3.4-9, MQTT3-4.4.0-1, MQTT3-4.6.0-5, MQTT3-4.6.0-6]`, async () => {
    const global = { maxInflightMessages: window, sysInterval: 0, queueQos0Messages: window === 3 };
    const broker = await startBroker(configFrom({ listeners: [{ port: 0 }], global }), { verbosity: 'none' });
    after(() => broker.stop());
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        runs += 1;
        const publisher = openPublisher(broker, `publisher-${runs}`);
        const subscriber = new Subscriber(plan, `subscriber-${runs}`, broker, window === 0 ? 65_535 : window);
        const { messages, cuts } = plan;
        // A part of the messages in each connection, some of them while it is being made.
        const share = Math.ceil(messages.length / (cuts.length + 1));
        await subscriber.connection(0, 1_000_000, () => undefined);
        let next = 0;
        for (let number = 1; number <= cuts.length + 1; number++) {
          const until = number > cuts.length ? messages.length : Math.min(messages.length, next + share);
          const send = (to: number): void => {
            for (; next < to; next++) publisher.send(next, messages[next]!);
          };
          send(Math.floor((next + until) / 2));
          await subscriber.connection(number, cuts[number - 1] ?? 1_000_000, () => send(until));
          send(until);
        }
        publisher.close();
        subscriber.check();
      }),
      { numRuns: 120 },
    );
  });
}
