// Micro-benchmarks of the codec: what framing, reading and encoding one packet costs. Each task handles BATCH packets, so
// a task's time divided by BATCH is one packet's.
import process from 'node:process';
import { Bench } from 'tinybench';
import { CONNACK, PUBLISH, SUBACK, SUBSCRIBE } from '../src/protocol/constants.ts';
import { decode } from '../src/protocol/decode.ts';
import { encode } from '../src/protocol/encode.ts';
import { Framer } from '../src/protocol/framer.ts';
import type { ControlPacket, FrameSink } from '../src/protocol/packets.ts';
import { encodePublishProperties, PublishView, readPublish } from '../src/protocol/publish.ts';
import { MQTT5, MQTT311 } from '../src/protocol/version.ts';

const BATCH = 500;
const PAYLOAD = Buffer.alloc(64, 'x');
const limits = new Uint32Array(16).fill(1_000_000);

/** BATCH copies of a PUBLISH; with properties it is one of MQTT 5. */
function publishes(properties: Buffer | null): Buffer {
  const topic = Buffer.from('house/garden/fountain/2');
  const section = properties === null ? Buffer.alloc(0) : Buffer.concat([Buffer.from([properties.length]), properties]);
  const body = Buffer.concat([Buffer.from([0, topic.length]), topic, Buffer.from([0, 7]), section, PAYLOAD]);
  if (body.length > 127) throw new Error('the packet is meant to have a length of one byte');
  const packet = Buffer.concat([Buffer.from([(PUBLISH << 4) | 2, body.length]), body]);
  return Buffer.concat(Array.from({ length: BATCH }, () => packet));
}

/** Counts frames, and reads each as a PUBLISH if `hasProperties` is not null. */
class Sink implements FrameSink {
  frames = 0;
  readonly #view = new PublishView();
  readonly #hasProperties: boolean | null;

  constructor(hasProperties: boolean | null) {
    this.#hasProperties = hasProperties;
  }

  frame(buffer: Buffer, first: number, start: number, end: number): boolean {
    if (this.#hasProperties !== null) readPublish(this.#view, this.#hasProperties, false, buffer, first, start, end);
    this.frames += 1;
    return true;
  }
}

const bench = new Bench({ time: process.argv.includes('--quick') ? 50 : 1000 });

function addFraming(name: string, chunk: Buffer, hasProperties: boolean | null, piece: number): void {
  const framer = new Framer(limits);
  const sink = new Sink(hasProperties);
  bench.add(name, () => {
    for (let at = 0; at < chunk.length; at += piece) framer.push(chunk.subarray(at, at + piece), sink);
  });
}

const plain = publishes(null);
const expiring = publishes(encodePublishProperties({ messageExpiryInterval: 60, contentType: 'text/plain' }).bytes);
addFraming('frame, whole chunk', plain, null, plain.length);
addFraming('frame, chunks of 1,460 bytes', plain, null, 1460);
addFraming('frame + read PUBLISH 3.1.1', plain, false, plain.length);
addFraming('frame + read PUBLISH 5 with two properties', expiring, true, expiring.length);

const packets: readonly [string, ControlPacket][] = [
  [
    'CONNACK',
    { type: CONNACK, sessionPresent: false, code: 0, properties: { receiveMaximum: 20, topicAliasMaximum: 10 } },
  ],
  ['SUBACK', { type: SUBACK, id: 7, codes: [1], properties: {} }],
  [
    'SUBSCRIBE',
    {
      type: SUBSCRIBE,
      id: 7,
      subscriptions: [{ filter: 'house/+/#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
      properties: {},
    },
  ],
];
for (const [name, packet] of packets) {
  for (const profile of [MQTT311, MQTT5]) {
    const bytes = encode(profile, packet);
    bench.add(`encode ${name} ${profile.option}`, () => {
      for (let i = 0; i < BATCH; i++) encode(profile, packet);
    });
    bench.add(`decode ${name} ${profile.option}`, () => {
      for (let i = 0; i < BATCH; i++) decode(profile, bytes, bytes[0]!, 2, bytes.length);
    });
  }
}

await bench.run();
for (const task of bench.tasks) {
  const { result } = task;
  if (!('latency' in result)) throw new Error(`${task.name} failed`);
  const nanoseconds = (result.latency.p50 * 1e6) / BATCH;
  process.stdout.write(`${nanoseconds.toFixed(1).padStart(9)} ns  ${task.name}\n`);
}
