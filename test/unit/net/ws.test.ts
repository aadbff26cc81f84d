import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { dialer } from '../../../src/net/endpoint.ts';
import { writeVarint } from '../../../src/protocol/writer.ts';
import { Recorder } from './recorder.ts';
import { openRig } from './rig.ts';

/** An upgrade request as the standard shows it, with the accept value known from RFC 6455. */
const request = (...more: string[]): string =>
  [
    'GET /whatever HTTP/1.1',
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    ...more,
    '',
    '',
  ].join('\r\n');

/** Sends text to a port and returns all that comes back until the connection ends or the text is complete. */
async function ask(
  context: TestContext,
  port: number,
  text: string,
  isComplete: (answer: string) => boolean,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  context.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(text);
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
    if (isComplete(answer)) socket.destroy();
  });
  await once(socket, 'close');
  return answer;
}

const headEnd = (answer: string): boolean => answer.includes('\r\n\r\n');

test("the answer to an upgrade has Mosquitto's headers in its order", async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const answer = await ask(context, rig.listener.port, request('Sec-WebSocket-Protocol: mqtt'), headEnd);
  assert.deepEqual(answer.split('\r\n'), [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: WebSocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'Sec-WebSocket-Protocol: mqtt',
    '',
    '',
  ]);
  assert.equal((await rig.next()).info.kind, 'ws');
});

test('mqttv3.1 is let in, mqtt preferred, compression never agreed to', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const { port } = rig.listener;
  const old = await ask(context, port, request('Sec-WebSocket-Protocol: mqttv3.1'), headEnd);
  assert.match(old, /\r\nSec-WebSocket-Protocol: mqttv3\.1\r\n/);
  const both = await ask(
    context,
    port,
    request('Sec-WebSocket-Protocol: chat, mqttv3.1,mqtt', 'Sec-WebSocket-Extensions: permessage-deflate'),
    headEnd,
  );
  assert.match(both, /\r\nSec-WebSocket-Protocol: mqtt\r\n/);
  assert.doesNotMatch(both, /Extensions/);
});

test('requests that are no MQTT upgrade are turned away and reported', async (context) => {
  const rig = await openRig(context, { kind: 'ws', ws: { headersSize: 1024 } });
  const cases: [string, RegExp, RegExp][] = [
    [request(), /^HTTP\/1\.1 400 /, /subprotocol/],
    [request('Sec-WebSocket-Protocol: chat'), /^HTTP\/1\.1 400 /, /subprotocol/],
    ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 426 /, /plain HTTP/],
    ['GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 426 /, /plain HTTP/],
    ['POST / HTTP/1.1\r\nHost: x\r\nExpect: more\r\nContent-Length: 9\r\n\r\n', /^HTTP\/1\.1 426 /, /plain HTTP/],
    ['POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n', /^HTTP\/1\.1 426 /, /plain HTTP/],
    ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400 /, /meant for a proxy/],
    [request('Sec-WebSocket-Protocol: mqtt').replace('Version: 13', 'Version: 1'), /^HTTP\/1\.1 400 /, /Version/],
    [request('Sec-WebSocket-Protocol: mqtt', `X: ${'y'.repeat(2000)}`), /^HTTP\/1\.1 400 /, /overflow/i],
    ['\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02ab', /^HTTP\/1\.1 400 /, /./],
  ];
  for (const [text, answer, fault] of cases) {
    assert.match(await ask(context, rig.listener.port, text, () => false), answer);
    assert.match((await rig.nextError()).message, fault);
  }
  assert.equal(rig.accepted.length, 0);
  assert.ok(rig.errors.every((entry) => entry.address === '127.0.0.1' && entry.port > 0));
});

test('only the origins that are listed get an answer', async (context) => {
  const rig = await openRig(context, { kind: 'ws', ws: { origins: ['https://good.example'] } });
  const { port } = rig.listener;
  const protocol = 'Sec-WebSocket-Protocol: mqtt';
  assert.equal(await ask(context, port, request(protocol, 'Origin: https://bad.example'), headEnd), '');
  assert.match((await rig.nextError()).message, /origin https:\/\/bad\.example is not allowed/);
  assert.equal(await ask(context, port, request(protocol), headEnd), '');
  assert.match(
    await ask(context, port, request(protocol, 'Origin: https://good.example'), headEnd),
    /^HTTP\/1\.1 101 /,
  );
});

test('an upgrade request that trickles in or never comes is given up', async (context) => {
  const rig = await openRig(context, { kind: 'ws', ws: { upgradeTimeoutMs: 100 } });
  for (const start of ['', request('Sec-WebSocket-Protocol: mqtt').slice(0, -2)]) {
    assert.equal(await ask(context, rig.listener.port, start, () => false), '');
    assert.match((await rig.nextError()).message, /took too long/);
  }
});

async function rawClient(context: TestContext, port: number): Promise<WebSocket> {
  const websocket = new WebSocket(`ws://127.0.0.1:${port}/`, ['mqtt']);
  context.after(() => websocket.terminate());
  websocket.on('error', () => {});
  await once(websocket, 'open');
  return websocket;
}

test('frames need not match packets: fragments and joins come out as one stream', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const websocket = await rawClient(context, rig.listener.port);
  const farSide = new Recorder(await rig.next());
  websocket.send(Buffer.from('ab'), { binary: true, fin: false });
  websocket.send(Buffer.from(''), { binary: true, fin: false });
  websocket.send(Buffer.from('cd'), { binary: true, fin: true });
  websocket.send(Buffer.from('ef'), { binary: true });
  await farSide.untilReceived(6);
  assert.equal(farSide.bytes().toString(), 'abcdef');
});

test('a text frame ends the connection', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const websocket = await rawClient(context, rig.listener.port);
  const farSide = new Recorder(await rig.next());
  websocket.send('hello');
  const [code] = (await once(websocket, 'close')) as [number];
  assert.equal(code, 1003);
  assert.match((await farSide.end())?.message ?? '', /text frame/);
  assert.equal(farSide.received, 0);
});

test('a message beyond the bound ends the connection with an error', async (context) => {
  const rig = await openRig(context, { kind: 'ws', ws: { maxPayload: 100 } });
  const websocket = await rawClient(context, rig.listener.port);
  const farSide = new Recorder(await rig.next());
  websocket.send(Buffer.alloc(101));
  assert.match((await farSide.end())?.message ?? '', /payload/i);
});

test('bytes that are no frames end the connection with an error', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const socket = connect(rig.listener.port, '127.0.0.1');
  context.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(request('Sec-WebSocket-Protocol: mqtt'));
  const farSide = new Recorder(await rig.next());
  socket.write(Buffer.from('ffffffffffff', 'hex'));
  assert.ok((await farSide.end()) instanceof Error);
});

test('a peer that never answers the close frame is dropped', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const socket = connect(rig.listener.port, '127.0.0.1');
  context.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(request('Sec-WebSocket-Protocol: mqtt'));
  const far = await rig.next();
  const farSide = new Recorder(far);
  far.end();
  assert.equal(await farSide.end(), null);
});

test('a paused transport hands nothing over, not even what was decoded already', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const websocket = await rawClient(context, rig.listener.port);
  const far = await rig.next();
  let inPause = 0;
  let isPaused = false;
  const got: string[] = [];
  const done = new Promise<void>((resolve) => {
    far.attach({
      receive(chunk) {
        if (isPaused) inPause += 1;
        got.push(chunk.toString());
        isPaused = true;
        far.pause();
        setImmediate(() => {
          isPaused = false;
          far.resume();
        });
        if (got.length === 20) resolve();
      },
      writable() {},
      closed() {},
    });
  });
  for (let i = 0; i < 20; i++) websocket.send(Buffer.from(String(i)));
  await done;
  assert.equal(inPause, 0);
  assert.deepEqual(
    got,
    Array.from({ length: 20 }, (_, i) => String(i)),
  );
});

async function serve(context: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    context.after(() => socket.destroy());
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('a server that is none for WebSocket makes the dial fail', async (context) => {
  const http = createHttpServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  context.after(() => http.close());
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const dial = (to: number, signal: AbortSignal = AbortSignal.timeout(20_000)): Promise<unknown> =>
    dialer({ kind: 'ws', host: '127.0.0.1', port: to }).dial(signal);
  await assert.rejects(dial(port), /404/);
  await assert.rejects(dial(await serve(context, (socket) => socket.end('SSH-2.0-x\r\n'))), Error);
  await assert.rejects(dial(await serve(context, (socket) => socket.destroy())), Error);
  const abort = new AbortController();
  const silent = await serve(context, () => abort.abort(new Error('no patience')));
  await assert.rejects(dial(silent, abort.signal), /no patience/);
});

test('the path of the dial is what was asked for, and /mqtt by default', async (context) => {
  const paths: (string | undefined)[] = [];
  const http = createHttpServer().listen(0, '127.0.0.1');
  http.on('upgrade', (incoming, socket) => {
    paths.push(incoming.url);
    socket.destroy();
  });
  context.after(() => http.close());
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  for (const path of [undefined, 'a/b', '/c?d']) {
    const spec = { kind: 'ws', host: '127.0.0.1', port, ...(path === undefined ? {} : { path }) } as const;
    await assert.rejects(dialer(spec).dial(AbortSignal.timeout(20_000)));
  }
  assert.deepEqual(paths, ['/mqtt', '/a/b', '/c?d']);
});

test('a message is not gathered beyond what its packets may have', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const websocket = new WebSocket(`ws://127.0.0.1:${rig.listener.port}`, ['mqtt']);
  context.after(() => websocket.terminate());
  websocket.on('error', () => {});
  const transport = await rig.next();
  transport.expect?.(100_000);
  const broker = new Recorder(transport);
  await once(websocket, 'open');
  websocket.send(Buffer.alloc(100_000));
  await broker.untilReceived(100_000);
  websocket.send(Buffer.alloc(100_000));
  await broker.untilReceived(200_000);
  // Twice the bound and more in fragments that each would do.
  for (let i = 0; i < 6; i++) websocket.send(Buffer.alloc(90_000), { fin: false, binary: true });
  assert.match(String(await broker.end()), /larger than any packet may be/);
  assert.equal(broker.received, 200_000);
});

test('pings are part of no message, however many come between two', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const websocket = new WebSocket(`ws://127.0.0.1:${rig.listener.port}`, ['mqtt']);
  context.after(() => websocket.terminate());
  const transport = await rig.next();
  transport.expect?.(20);
  const broker = new Recorder(transport);
  await once(websocket, 'open');
  let pongs = 0;
  websocket.on('pong', () => {
    pongs += 1;
  });
  for (let i = 1; i <= 60; i++) {
    // More than 60 without an answer would be a flood.
    for (let k = 0; k < 50; k++) websocket.ping(Buffer.alloc(125, k));
    while (pongs < i * 50) await once(websocket, 'pong');
  }
  websocket.send(Buffer.from('message'));
  await broker.untilReceived(7);
  assert.deepEqual(broker.ends, []);
});

test('a packet of the greatest size that is expected comes through', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const client = new Recorder(await rig.dial());
  const broker = new Recorder(await rig.next());
  broker.transport.expect?.(3_000_000);
  // One packet, for each has a frame of its own.
  const packet = Buffer.alloc(3_000_000, 'x');
  packet[0] = 0x30;
  assert.equal(writeVarint(packet, 1, packet.length - 5), 5);
  for (let i = 1; i <= 3; i++) {
    client.transport.write(Buffer.from(packet));
    await broker.untilReceived(i * 3_000_000);
  }
  assert.deepEqual(broker.ends, []);
});

test('the end of the other side is told once, before the close', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const said: string[] = [];
  const watch = (near: Awaited<ReturnType<typeof rig.dial>>): Promise<void> =>
    new Promise((resolve) => {
      near.attach({
        receive: () => said.push('received'),
        writable: () => said.push('writable'),
        ended: () => said.push('ended'),
        closed: () => {
          said.push('closed');
          resolve();
        },
      });
    });
  const near = await rig.dial();
  const over = watch(near);
  const far = await rig.next();
  new Recorder(far);
  far.write(Buffer.from('bytes'));
  far.end();
  await over;
  assert.deepEqual(said, ['received', 'ended', 'closed']);
  said.length = 0;
  // An end of our own is no news.
  const own = await rig.dial();
  const ownOver = watch(own);
  new Recorder(await rig.next());
  own.end();
  await ownOver;
  assert.deepEqual(said, ['closed']);
});
