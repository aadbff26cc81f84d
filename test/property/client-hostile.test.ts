// A client under brokers that mean harm: random ones, and the same few wrong things in every place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connectVia } from '../../src/client/client.ts';
import { ConnectionLost, ConnectRefused, PeerFault } from '../../src/client/index.ts';
import type { Client, ClientOptions } from '../../src/client/options.ts';
import { encode } from '../../src/protocol/encode.ts';
import type { ControlPacket } from '../../src/protocol/packets.ts';
import { MQTT5, MQTT311 } from '../../src/protocol/version.ts';
import { writeVarint } from '../../src/protocol/writer.ts';
import { fuzzClient } from '../support/fuzz-client.ts';
import { type BrokerSide, encodePublish, NOWHERE, ScriptedBroker } from '../unit/client/scripted-broker.ts';

const EPISODES = 300;
/** Bytes that the heap may differ by between two moments of the same kind. */
const SLACK = 6_000_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Collections after which what can be freed is: the memory of buffers is given back by another thread, when it gets to it. */
const COLLECTIONS = 5;

async function heap(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < COLLECTIONS; i++) {
    for (let turns = 0; turns < 5; turns++) await turn();
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

test(`${EPISODES} episodes: the client keeps the rules, ends in order and leaves nothing behind`, async () => {
  for (let seed = 0; seed < EPISODES / 3; seed++) await fuzzClient(seed);
  const before = await heap();
  for (let seed = EPISODES / 3; seed < EPISODES; seed++) await fuzzClient(seed);
  const grown = (await heap()) - before;
  assert.ok(grown < SLACK, `the heap grew by ${grown} bytes`);
});

const VERSIONS = [
  ['3.1.1', MQTT311],
  ['5', MQTT5],
] as const;

const told = { reasonString: 'why', userProperties: [['k', 'v']] as const };

/** One of every packet, with all that may stand in it. */
function packets(profile: typeof MQTT5): [string, Buffer][] {
  const hasProperties = profile.hasProperties;
  const ack = (type: 4 | 5 | 6 | 7): ControlPacket => ({ type, id: 1, code: 0, properties: told });
  const connack = { sessionPresent: false, code: 0, properties: { ...told, receiveMaximum: 9, serverReference: 's' } };
  const subscriptions = [{ filter: 'a', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }];
  const all: ControlPacket[] = [
    { type: 2, ...connack },
    ...([4, 5, 6, 7] as const).map(ack),
    { type: 8, id: 1, subscriptions, properties: { subscriptionIdentifier: 5 } },
    { type: 9, id: 1, codes: [0, 1], properties: told },
    { type: 10, id: 1, filters: ['a'], properties: {} },
    { type: 11, id: 1, codes: [0], properties: told },
    { type: 12 },
    { type: 13 },
    { type: 14, code: hasProperties ? 0x8b : 0, properties: { ...told, serverReference: 's' } },
    { type: 15, code: 0x18, properties: { authenticationMethod: 'm', authenticationData: Buffer.from('d'), ...told } },
  ];
  const publish = encodePublish(profile, {
    topic: 'a/b',
    payload: 'payload',
    qos: 2,
    id: 7,
    properties: {
      topicAlias: 1,
      contentType: 'c',
      correlationData: Buffer.from('x'),
      subscriptionIdentifiers: [1, 300],
    },
  });
  return [
    ...all.map((packet): [string, Buffer] => [`packet type ${packet.type}`, encode(profile, packet)]),
    ['PUBLISH', publish],
  ].filter(([, bytes]) => (bytes as Buffer).length > 0) as [string, Buffer][];
}

const isInOrder = (error: unknown): boolean =>
  error instanceof PeerFault || error instanceof ConnectionLost || error instanceof ConnectRefused;

type State = 'before CONNACK' | 'during authentication' | 'connected' | 'with requests open' | 'closing';
const STATES: readonly State[] = [
  'before CONNACK',
  'during authentication',
  'connected',
  'with requests open',
  'closing',
];

/** Brings a client into a state, has the broker say something and close, and waits for the client's end. */
async function hear(options: Partial<ClientOptions>, state: State, bytes: readonly Buffer[]): Promise<void> {
  const broker = new ScriptedBroker();
  const connecting = connectVia({ ...NOWHERE, properties: { topicAliasMaximum: 5 }, ...options }, broker);
  const side = await broker.accept();
  const say = (): void => {
    for (const chunk of bytes) side.transport.write(chunk);
    side.transport.end();
  };
  if (state === 'before CONNACK' || state === 'during authentication') {
    say();
    await connecting.then(
      (client) => watchEnd(client)(),
      (error: unknown) => assert.ok(isInOrder(error), String(error)),
    );
    return;
  }
  await side.admit();
  const client = await connecting;
  const calls: Promise<unknown>[] = [];
  if (state === 'with requests open') calls.push(...requests(client));
  const ended = watchEnd(client);
  if (state === 'closing') calls.push(client.end());
  say();
  await ended();
  for (const result of await Promise.allSettled(calls)) {
    if (result.status === 'rejected') assert.ok(isInOrder(result.reason), String(result.reason));
  }
  await seenInOrder(side);
}

const requests = (client: Client): Promise<unknown>[] => [
  client.publish('t', '1', { qos: 1 }),
  client.publish('t', '2', { qos: 2 }),
  client.subscribe('a'),
  client.unsubscribe('a'),
];

/** To be called before anything is said; the result is then awaited when the broker has been heard. */
function watchEnd(client: Client): () => Promise<void> {
  const closed = new Promise<Error | null>((resolve) => client.on('close', resolve));
  return async () => {
    for (let i = 0; i < 6; i++) await turn();
    void client.end();
    const error = await closed;
    if (error !== null) assert.ok(isInOrder(error), String(error));
  };
}

async function seenInOrder(side: BrokerSide): Promise<void> {
  await side.closed();
  const at = side.seen.findIndex((packet) => packet.type === 14);
  assert.ok(at === -1 || at === side.seen.length - 1, 'nothing comes behind DISCONNECT');
}

for (const [version, profile] of VERSIONS) {
  const isNew = profile.hasProperties;
  const states = STATES.filter((state) => isNew || state !== 'during authentication');
  const optionsFor = (state: State): Partial<ClientOptions> => ({
    version,
    ...(state === 'during authentication' ? { authentication: { method: 'm', step: () => Buffer.from('x') } } : {}),
  });

  for (const state of states) {
    test(`${version}: every packet, ${state}, and the same twice`, async () => {
      for (const [, bytes] of packets(profile as typeof MQTT5)) {
        await hear(optionsFor(state), state, [bytes]);
        await hear(optionsFor(state), state, [bytes, bytes]);
      }
    });
  }

  test(`${version}: every packet cut off at every byte, as such and with a length that says so`, async () => {
    for (const [name, bytes] of packets(profile as typeof MQTT5)) {
      const state = name === 'packet type 2' ? 'before CONNACK' : 'with requests open';
      for (let length = 1; length < bytes.length; length++) {
        await hear(optionsFor(state), state, [bytes.subarray(0, length)]);
        if (length < 2) continue;
        const shorter = Buffer.from(bytes.subarray(0, length));
        writeVarint(shorter, 1, length - 2);
        await hear(optionsFor(state), state, [shorter]);
      }
    }
  });

  test(`${version}: every packet with every byte changed`, async () => {
    for (const [name, bytes] of packets(profile as typeof MQTT5)) {
      const state = name === 'packet type 2' ? 'before CONNACK' : 'with requests open';
      for (let at = 0; at < bytes.length; at++) {
        for (const value of [0x00, 0x7f, 0xff]) {
          const changed = Buffer.from(bytes);
          changed[at] = value;
          await hear(optionsFor(state), state, [changed]);
        }
      }
    }
  });
}

test('the word of a broker that 200 MB will come costs no memory', async () => {
  const broker = new ScriptedBroker();
  const connecting = connectVia(NOWHERE, broker);
  const side = await broker.accept();
  await side.admit();
  const client = await connecting;
  const before = await heap();
  // PUBLISH of 200,000,000 bytes, and a mebibyte of them.
  side.sendBytes('3080a4af5f');
  side.transport.write(Buffer.alloc(1_048_576));
  await turn();
  await turn();
  const grown = (await heap()) - before;
  assert.ok(grown < SLACK, `${grown} bytes more`);
  await client.end();
  side.transport.destroy();
});

test('floods that ask for an answer stop being read when the answers are not taken', async () => {
  const broker = new ScriptedBroker();
  const connecting = connectVia(NOWHERE, broker);
  const side = await broker.accept();
  await side.admit();
  const client = await connecting;
  await turn();
  side.transport.pause();
  const flood = Buffer.concat(Array.from({ length: 2_000 }, (_, i) => Buffer.from([0x62, 2, (i >> 8) + 1, i & 0xff])));
  for (let i = 0; i < 200; i++) {
    side.transport.write(flood);
    await turn();
  }
  // 400,000 PUBRELs take 1.6 MB; the answers to a tenth of them fill what may wait.
  assert.ok(side.transport.backlog > 1_000_000, `only ${side.transport.backlog} bytes wait to be read`);
  side.transport.destroy();
  await client.end();
});
