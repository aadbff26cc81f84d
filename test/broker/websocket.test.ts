// MQTT over WebSocket (section 6 of both standards), a real handshake with the broker: subprotocol, frames and packets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { MQTT5, MQTT311, type Profile } from '../../src/protocol/version.ts';
import { connectBytes, publishBytes } from '../support/raw-client.ts';
import { join, nothingCame, open, type Rig } from './harness.ts';

const LISTENERS = { listeners: [{ port: 0 }, { port: 0, protocol: 'websockets' }] } as const;

/** A WebSocket client that has been let in by the handshake. */
class WebPeer {
  readonly socket: WebSocket;
  /** All that came, and the kind of each frame. */
  received: Buffer = Buffer.alloc(0);
  readonly kinds: ('binary' | 'text')[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      this.kinds.push(isBinary ? 'binary' : 'text');
      this.received = Buffer.concat([this.received, data]);
    });
  }

  /** Resolves when so many bytes have come. */
  async until(length: number): Promise<Buffer> {
    const signal = AbortSignal.timeout(20_000);
    while (this.received.length < length) await once(this.socket, 'message', { signal });
    return this.received;
  }
}

async function dial(context: TestContext, rig: Rig, protocols: string[] = ['mqtt']): Promise<WebPeer> {
  const peer = new WebPeer(new WebSocket(`ws://127.0.0.1:${rig.broker.ports[1]}/mqtt`, protocols));
  context.after(() => peer.socket.terminate());
  await once(peer.socket, 'open', { signal: AbortSignal.timeout(20_000) });
  return peer;
}

/** CONNECT of a version, its will on the topic `w`. */
const hello = (profile: Profile): Buffer =>
  connectBytes('web', {
    profile,
    will: { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false, properties: {} },
  });

test('the broker chooses the subprotocol mqtt [MQTT-6.0.0-4, MQTT3-6.0.0-4]', async (context) => {
  const rig = await open(context, LISTENERS);
  assert.equal((await dial(context, rig)).socket.protocol, 'mqtt');
  assert.equal((await dial(context, rig, ['chat', 'mqtt'])).socket.protocol, 'mqtt');
  await assert.rejects(dial(context, rig, ['chat']), /400/);
  await assert.rejects(dial(context, rig, []), /400/);
});

for (const profile of [MQTT311, MQTT5]) {
  test(`packets need not be aligned with frames, and come in binary ones, ${profile.option} [MQTT-6.0.0-1, MQTT-6.0.0-2, MQTT3-6.0.0-1, MQTT3-6.0.0-2]`, async (context) => {
    const rig = await open(context, LISTENERS);
    const reader = await join(context, rig.port);
    await reader.subscribe('#');
    const peer = await dial(context, rig);
    // A frame for each byte, an empty frame, a message of two fragments, then all the rest in one frame.
    const connect = hello(profile);
    for (const byte of connect) peer.socket.send(Buffer.from([byte]));
    peer.socket.send(Buffer.alloc(0));
    const connack = (await peer.until(4)).subarray(0, 4);
    assert.deepEqual([connack[0], connack[2], connack[3]], [0x20, 0, 0]);
    await peer.until(2 + connack[1]!);
    const first = publishBytes(profile, 'a', 'one');
    peer.socket.send(first.subarray(0, 3), { fin: false });
    peer.socket.send(first.subarray(3), { fin: true });
    const second = publishBytes(profile, 'a', 'two');
    const third = publishBytes(profile, 'a', 'three');
    const ping = Buffer.from([0xc0, 0]);
    peer.socket.send(Buffer.concat([second, third.subarray(0, 4)]));
    peer.socket.send(Buffer.concat([third.subarray(4), ping, ping]));
    const all = await peer.until(2 + connack[1]! + 4);
    assert.equal(all.subarray(-4).toString('hex'), 'd000d000');
    for (const payload of ['one', 'two', 'three']) assert.equal(await reader.inbox.text(), `a ${payload}`);
    assert.ok(peer.kinds.every((kind) => kind === 'binary'));
  });

  test(`a frame of text closes the connection, what is in it is not read, ${profile.option} [MQTT-6.0.0-1, MQTT3-6.0.0-1]`, async (context) => {
    const rig = await open(context, LISTENERS);
    const reader = await join(context, rig.port);
    await reader.subscribe('#');
    const peer = await dial(context, rig);
    peer.socket.send(hello(profile));
    await peer.until(4);
    peer.socket.send(publishBytes(profile, 'a', 'text').toString('latin1'));
    const [code] = (await once(peer.socket, 'close', { signal: AbortSignal.timeout(20_000) })) as [number];
    assert.equal(code, 1003);
    // It did not say goodbye, so there is its will, and nothing else.
    assert.equal(await reader.inbox.text(), 'w gone');
    await reader.unsubscribe('#');
    await nothingCame(reader);
    await rig.log.seen(/Client web \[127\.0\.0\.1:\d+\] disconnected: .*text frame/);
  });
}

test('TCP and WebSocket both carry packets in their order, without loss [MQTT-4.2.0-1, MQTT3-7.1.1-1]', async (context) => {
  const rig = await open(context, LISTENERS);
  const overTcp = await join(context, rig.port);
  const overWeb = await join(context, rig.port, {
    endpoint: { kind: 'ws', host: '127.0.0.1', port: rig.broker.ports[1]! },
  });
  await overTcp.subscribe('to/tcp');
  await overWeb.subscribe('to/web');
  const payloads = Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat((i * 997) % 20_000)}`);
  for (const payload of payloads) {
    void overTcp.publish('to/web', payload, { qos: 1 });
    void overWeb.publish('to/tcp', payload, { qos: 1 });
  }
  for (const payload of payloads) {
    assert.equal(await overTcp.inbox.text(), `to/tcp ${payload}`);
    assert.equal(await overWeb.inbox.text(), `to/web ${payload}`);
  }
});
