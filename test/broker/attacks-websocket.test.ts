// Attacks on the WebSocket side of a listener: before the upgrade, and by frames.
import assert from 'node:assert/strict';
import { connect as connectTcp, type Socket } from 'node:net';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { MQTT5 } from '../../src/protocol/version.ts';
import { connectBytes, publishBytes } from '../support/raw-client.ts';
import { type Watch, watch } from './attack-watch.ts';
import { open, type Rig, until } from './harness.ts';

const MIB = 1024 * 1024;

const UPGRADE = [
  'GET /mqtt HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: mqtt',
];

const CONTINUATION = 0x00;
const TEXT = 0x01;
const BINARY = 0x02;
const CLOSE = 0x08;
const PING = 0x09;
const FIN = 0x80;

/** The bytes of a frame from a client; the mask is all zeros, so that the payload is to be read as it is. */
function frame(head: number, payload: Buffer, declared = payload.length): Buffer {
  const length =
    declared < 126 ? [declared] : declared < 65_536 ? [126, declared >> 8, declared & 0xff] : [127, 0, 0, 0, 0];
  const header = Buffer.from([head, length[0]! | 0x80, ...length.slice(1)]);
  const long = Buffer.alloc(4);
  long.writeUInt32BE(declared);
  return Buffer.concat([header, ...(length[0] === 127 ? [long] : []), Buffer.alloc(4), payload]);
}

/** A socket to the WebSocket listener, and what came back. */
interface Attacker {
  readonly socket: Socket;
  readonly answer: () => string;
  /** Resolves when the broker has closed. */
  readonly ended: Promise<void>;
}

function dial(context: TestContext, rig: Rig): Attacker {
  const socket = connectTcp({ port: rig.broker.ports[1]!, host: '127.0.0.1' });
  context.after(() => socket.destroy());
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { socket, answer: () => answer, ended };
}

async function upgraded(context: TestContext, rig: Rig, ...headers: string[]): Promise<Attacker> {
  const attacker = dial(context, rig);
  attacker.socket.write([...UPGRADE, ...headers, '', ''].join('\r\n'));
  await until(() => attacker.answer().includes('\r\n\r\n'), 'the upgrade');
  assert.match(attacker.answer(), /^HTTP\/1\.1 101 /);
  return attacker;
}

/** A broker with a plain and a WebSocket listener, and somebody to be served on the plain one. */
async function target(context: TestContext): Promise<{ rig: Rig; watching: Watch }> {
  const rig = await open(context, {
    listeners: [{ port: 0 }, { port: 0, protocol: 'websockets' }],
    global: { connectTimeout: 1 },
  });
  return { rig, watching: await watch(context, rig.port, rig.log) };
}

test('an upgrade request that comes letter by letter, or never ends, has its time [ours: slow-loris]', async (context) => {
  const { rig, watching } = await target(context);
  const slow = dial(context, rig);
  let sent = 0;
  const request = UPGRADE.join('\r\n');
  const timer = setInterval(() => slow.socket.write(request[sent++ % request.length]!), 20);
  context.after(() => clearInterval(timer));
  const silent = dial(context, rig);
  await Promise.all([slow.ended, silent.ended]);
  clearInterval(timer);
  assert.equal(slow.answer() + silent.answer(), '');
  assert.equal(rig.log.count('failed: the WebSocket upgrade took too long.'), 2);
  assert.match(rig.log.text, /Client connection from 127\.0\.0\.1:\d+ failed: the WebSocket upgrade/);
  await watching.over();
});

test('an upgrade that says no CONNECT afterwards has its time, too, by whatever frames [ours: slow-loris]', async (context) => {
  const { rig, watching } = await target(context);
  const attacker = await upgraded(context, rig);
  const timer = setInterval(() => attacker.socket.write(frame(FIN | PING, Buffer.from('x'))), 50);
  context.after(() => clearInterval(timer));
  await attacker.ended;
  clearInterval(timer);
  await rig.log.seen('within 1 seconds (connect_timeout)');
  await watching.over();
});

test('headers beyond their bound are refused while they come', async (context) => {
  const { rig, watching } = await target(context);
  for (const lines of [[`X: ${'y'.repeat(100_000)}`], Array.from({ length: 10_000 }, (_, i) => `X-${i}: y`)]) {
    const attacker = dial(context, rig);
    attacker.socket.write([...UPGRADE, ...lines, '', ''].join('\r\n'));
    await attacker.ended;
    assert.doesNotMatch(attacker.answer(), /101/);
  }
  await until(() => rig.log.count(' failed: ') === 2, 'two lines');
  await watching.over();
});

test('a frame that declares 256 MB, or the most that there is, costs what came of it', async (context) => {
  const { rig, watching } = await target(context);
  const rss = process.memoryUsage().rss;
  const attackers = await Promise.all(Array.from({ length: 100 }, () => upgraded(context, rig)));
  for (const { socket } of attackers) socket.write(frame(FIN | BINARY, Buffer.alloc(1000), 268_435_455));
  const endless = await upgraded(context, rig);
  endless.socket.write(Buffer.from([FIN | BINARY, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
  await Promise.all([...attackers, endless].map((attacker) => attacker.ended));
  assert.ok(process.memoryUsage().rss - rss < 100 * MIB);
  await watching.over();
});

test('a message in fragments without end is cut off long before it is large', async (context) => {
  const { rig, watching } = await target(context);
  for (const size of [0, 1, 1000]) {
    const attacker = await upgraded(context, rig);
    const fragments = Buffer.concat(Array.from({ length: 1000 }, () => frame(CONTINUATION, Buffer.alloc(size))));
    attacker.socket.write(frame(BINARY, Buffer.alloc(1)));
    let sent = 0;
    const push = (error?: Error | null): void => {
      sent += fragments.length;
      if (error == null && !attacker.socket.destroyed) attacker.socket.write(fragments, push);
    };
    push();
    await attacker.ended;
    // What the kernel holds in between counts as sent.
    assert.ok(sent < 20 * MIB, `${sent} bytes`);
  }
  await watching.over();
});

const BROKEN: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['a frame without a mask', Buffer.from([FIN | BINARY, 2, 0xc0, 0])],
  ['a text frame', frame(FIN | TEXT, Buffer.from('hello'))],
  ['a text frame with a CONNECT', frame(FIN | TEXT, connectBytes('text'))],
  ['a control frame of 126 bytes', frame(FIN | PING, Buffer.alloc(126))],
  ['a control frame in fragments', frame(PING, Buffer.alloc(1))],
  ['a continuation of nothing', frame(FIN | CONTINUATION, Buffer.alloc(1))],
  [
    'a second message inside the first',
    Buffer.concat([frame(BINARY, Buffer.alloc(1)), frame(BINARY, Buffer.alloc(1))]),
  ],
  ['a reserved bit', frame(FIN | 0x20 | BINARY, Buffer.alloc(1))],
  ['a reserved kind of frame', frame(FIN | 0x03, Buffer.alloc(1))],
  ['a close frame of one byte', frame(FIN | CLOSE, Buffer.alloc(1))],
  ['a close frame with a forbidden code', frame(FIN | CLOSE, Buffer.from([0, 1]))],
];

test('frames that break the rules of WebSocket or MQTT end their connection only', async (context) => {
  const { rig, watching } = await target(context);
  const strike = async ([what, bytes]: (typeof BROKEN)[number], at: number): Promise<void> => {
    const before = await upgraded(context, rig);
    before.socket.write(bytes);
    const after = await upgraded(context, rig);
    after.socket.write(Buffer.concat([frame(FIN | BINARY, connectBytes(`joined-${at}`)), bytes]));
    await Promise.all([before.ended, after.ended]);
    await rig.log
      .seen(new RegExp(`Client joined-${at} \\[127\\.0\\.0\\.1:\\d+\\] disconnected: .+\\.`))
      .catch(() => assert.fail(`${what} did not end the connection`));
  };
  await Promise.all(BROKEN.map(strike));
  assert.equal(rig.log.count(' as text '), 0);
  await watching.over();
});

test('compression is never agreed to, and a compressed bomb ends its connection [ours: zip bomb]', async (context) => {
  const { rig, watching } = await target(context);
  const extensions = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame';
  const attacker = await upgraded(context, rig, extensions);
  assert.doesNotMatch(attacker.answer(), /Extensions/i);
  const rss = process.memoryUsage().rss;
  const bomb = deflateRawSync(Buffer.alloc(64 * MIB));
  assert.ok(bomb.length < MIB);
  attacker.socket.write(frame(FIN | 0x40 | BINARY, bomb));
  await attacker.ended;
  assert.ok(process.memoryUsage().rss - rss < 150 * MIB);
  await watching.over();
});

test('a flood of pings that are never answered for costs bounded memory, and its connection', async (context) => {
  const { rig, watching } = await target(context);
  const attacker = await upgraded(context, rig);
  attacker.socket.write(frame(FIN | BINARY, connectBytes('flood')));
  attacker.socket.pause();
  const rss = process.memoryUsage().rss;
  // A message now and then, so that no bound on messages is what ends it.
  const pings = Array.from({ length: 400 }, () => frame(FIN | PING, Buffer.alloc(125)));
  const flood = Buffer.concat([...pings, frame(FIN | BINARY, publishBytes(MQTT5, 'a', ''))]);
  const push = (error?: Error | null): void => {
    if (error == null && !attacker.socket.destroyed) attacker.socket.write(flood, push);
  };
  push();
  await rig.log.seen(
    /Client flood \[.*\] disconnected: The other side sent more WebSocket pings than it takes answers\./,
  );
  attacker.socket.destroy();
  assert.ok(process.memoryUsage().rss - rss < 150 * MIB);
  await watching.over();
});

test('an address that a header claims is not believed [behaviour, 2.1: X-Forwarded-For, PROXY and http_dir]', async (context) => {
  const { rig, watching } = await target(context);
  const attacker = await upgraded(context, rig, 'X-Forwarded-For: 198.51.100.7', 'Forwarded: for=198.51.100.7');
  attacker.socket.write(frame(FIN | BINARY, connectBytes('spoof')));
  await rig.log.seen(/New client connected from 127\.0\.0\.1:\d+ as spoof /);
  assert.equal(rig.log.count('198.51.100.7'), 0);
  attacker.socket.destroy();
  const port = rig.broker.ports[0]!;
  const plain = connectTcp({ port, host: '127.0.0.1' });
  plain.on('error', () => undefined).resume();
  plain.write(Buffer.concat([Buffer.from('PROXY TCP4 198.51.100.7 198.51.100.8 1 2\r\n'), connectBytes('spoof2')]));
  await new Promise((resolve) => plain.on('close', resolve));
  await rig.log.seen('First packet not CONNECT (50).');
  for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc/passwd']) {
    const reader = dial(context, rig);
    reader.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await reader.ended;
    assert.match(reader.answer(), /^HTTP\/1\.1 426 /);
    assert.match(reader.answer(), /Content-Length: 0|Transfer-Encoding: chunked\r\n\r\n0\r\n/i);
  }
  await watching.over();
});
