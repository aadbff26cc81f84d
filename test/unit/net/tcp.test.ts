import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { dialer, listen } from '../../../src/net/endpoint.ts';
import { Recorder } from './recorder.ts';
import { openRig } from './rig.ts';

const nothing = (): void => {};

test('without a host both families are open on one port', async (context) => {
  const listener = await listen({ kind: 'tcp', port: 0 }, (transport) => transport.destroy(), nothing);
  context.after(() => listener.close());
  assert.ok(listener.port > 0);
  for (const host of ['127.0.0.1', '::1']) {
    const transport = await dialer({ kind: 'tcp', host, port: listener.port }).dial(AbortSignal.timeout(20_000));
    assert.equal(transport.info.address, host);
    transport.destroy();
  }
});

test('a family can be chosen', async (context) => {
  const listener = await listen({ kind: 'tcp', port: 0, family: 4 }, (transport) => transport.destroy(), nothing);
  context.after(() => listener.close());
  const onSix = dialer({ kind: 'tcp', host: '::1', port: listener.port });
  await assert.rejects(onSix.dial(AbortSignal.timeout(20_000)), { code: 'ECONNREFUSED' });
});

test("a port in use and a host that is not here are refused with the system's codes", async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const again = listen({ kind: 'tcp', host: '127.0.0.1', port: rig.listener.port }, nothing, nothing);
  await assert.rejects(again, { code: 'EADDRINUSE' });
  // TEST-NET-1 of RFC 5737: never an address of this machine.
  await assert.rejects(listen({ kind: 'tcp', host: '192.0.2.1', port: 0 }, nothing, nothing), {
    code: 'EADDRNOTAVAIL',
  });
});

test('closing a listener frees the port and leaves connections alone', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const nearSide = new Recorder(await rig.dial());
  const far = await rig.next();
  await rig.listener.close();
  const { port } = rig.listener;
  const again = await listen({ kind: 'tcp', host: '127.0.0.1', port }, nothing, nothing);
  await again.close();
  far.write(Buffer.from('still here'));
  await nearSide.untilReceived(10);
});

test('addresses and ports are those of the connection, also after it is gone', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const near = await rig.dial();
  const far = await rig.next();
  assert.equal(near.info.port, rig.listener.port);
  assert.equal(far.info.localPort, rig.listener.port);
  assert.equal(far.info.port, near.info.localPort);
  const farSide = new Recorder(far);
  near.destroy();
  await farSide.end();
  assert.equal(far.info.address, '127.0.0.1');
});

test('a refused dial names the address, also for a name with several', async () => {
  const rigless = await listen({ kind: 'tcp', host: 'localhost', port: 0 }, nothing, nothing);
  await rigless.close();
  const dial = dialer({ kind: 'tcp', host: 'localhost', port: rigless.port }).dial(AbortSignal.timeout(20_000));
  await assert.rejects(dial, { code: 'ECONNREFUSED', message: /ECONNREFUSED .*:\d+/ });
});

test('an unknown host and a dial that was given up before reject', async () => {
  const unknown = dialer({ kind: 'tcp', host: 'no-such-host.invalid', port: 1 });
  await assert.rejects(unknown.dial(AbortSignal.timeout(20_000)), (error: NodeJS.ErrnoException) =>
    ['ENOTFOUND', 'EAI_AGAIN'].includes(error.code ?? ''),
  );
  await assert.rejects(unknown.dial(AbortSignal.abort(new Error('no patience'))), /no patience/);
});

test('a reset by the peer is an error, told once', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const socket = connect(rig.listener.port, '127.0.0.1');
  await once(socket, 'connect');
  const farSide = new Recorder(await rig.next());
  socket.resetAndDestroy();
  assert.equal(((await farSide.end()) as NodeJS.ErrnoException | null)?.code, 'ECONNRESET');
  assert.equal(farSide.ends.length, 1);
});

test('a peer that closes its half gets what is left and then the end', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const socket = connect({ port: rig.listener.port, host: '127.0.0.1', allowHalfOpen: true });
  context.after(() => socket.destroy());
  const far = await rig.next();
  const farSide = new Recorder(far);
  const bytes = Buffer.alloc(4_000_000, 'x');
  far.write(bytes);
  socket.end();
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  assert.equal(await farSide.end(), null);
  if (!socket.readableEnded) await once(socket, 'end');
  assert.equal(received, bytes.length);
});

test('a peer that closes its half is told of at once, while bytes are still on their way to it', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const socket = connect({ port: rig.listener.port, host: '127.0.0.1', allowHalfOpen: true });
  context.after(() => socket.destroy());
  const far = await rig.next();
  const told = new Promise((resolve) => {
    far.attach({
      receive: nothing,
      writable: () => resolve('writable'),
      ended: () => resolve(far.backlog > 0),
      closed: () => resolve('closed'),
    });
  });
  // More than the buffers of two sockets take, and the peer does not read.
  assert.equal(far.write(Buffer.alloc(64 * 1024 * 1024)), false);
  socket.end();
  assert.equal(await told, true);
});

test('a peer that keeps its side open after end() is dropped', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const socket = connect({ port: rig.listener.port, host: '127.0.0.1', allowHalfOpen: true });
  context.after(() => socket.destroy());
  socket.on('error', nothing);
  const far = await rig.next();
  const farSide = new Recorder(far);
  far.end();
  // Whatever the peer goes on sending is not looked at and does not keep the socket.
  socket.write('more');
  assert.equal(await farSide.end(), null);
  assert.equal(farSide.received, 0);
});

test('pausing and resuming before anyone listens loses nothing', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const near = await rig.dial();
  const far = await rig.next();
  near.write(Buffer.from('hello'));
  far.pause();
  far.resume();
  await new Promise((resolve) => setImmediate(resolve));
  const farSide = new Recorder(far);
  await farSide.untilReceived(5);
});

test('a Unix socket is made and taken away again; one in use is refused', async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'unix-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'socket');
  const rig = await openRig(context, { kind: 'unix', path: file });
  assert.equal(rig.listener.port, 0);
  const near = await rig.dial();
  assert.equal((await rig.next()).info.address, file);
  near.destroy();
  await assert.rejects(listen({ kind: 'unix', port: 0, path: file }, nothing, nothing), { code: 'EADDRINUSE' });
  await rig.listener.close();
  assert.equal(existsSync(file), false);
});

test('a peer that is gone is noticed although nothing of it is wanted', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const socket = connect({ port: rig.listener.port, host: '127.0.0.1' });
  socket.on('error', nothing);
  const far = await rig.next();
  const farSide = new Recorder(far);
  far.pause();
  socket.resetAndDestroy();
  const error = await farSide.end();
  assert.equal((error as NodeJS.ErrnoException | null)?.code, 'ECONNRESET');
  assert.equal(farSide.received, 0);
});

test('of what nobody wants a bounded part is read, and handed over in order once it is wanted', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const near = await rig.dial();
  const nearSide = new Recorder(near);
  const far = await rig.next();
  const farSide = new Recorder(far);
  const sent: Buffer[] = [];
  for (let i = 0; i < 40; i++) {
    // Stopping and going on at once must not let one more read through each time.
    far.pause();
    far.resume();
    far.pause();
    const chunk = Buffer.alloc(1024 * 1024, `${i} `);
    sent.push(chunk);
    near.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(farSide.received, 0);
  assert.ok(near.backlog > 0, 'all was read though nothing was wanted');
  far.resume();
  await farSide.untilReceived(40 * 1024 * 1024);
  assert.ok(farSide.bytes().equals(Buffer.concat(sent)));
  await nearSide.until(() => near.backlog === 0);
});

/** A receiver that takes lent memory, and notes whose memory it was. */
class Borrower extends Recorder {
  readonly memory: ArrayBufferLike[] = [];

  receiveLent(chunk: Buffer): void {
    this.memory.push(chunk.buffer);
    this.receive(Buffer.from(chunk));
    chunk.fill(0xee);
  }
}

for (const kind of ['tcp', 'unix'] as const) {
  test(`${kind}: the connections of a listener read into one buffer, which receivers that know of it borrow`, async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'lent-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const rig = await openRig(context, { kind, ...(kind === 'unix' ? { path: path.join(folder, 's') } : {}) });
    const sides: Borrower[] = [];
    const word = Buffer.alloc(100_000, 'abcdefghi');
    for (let i = 0; i < 2; i++) {
      const near = await rig.dial();
      const side = new Borrower(await rig.next());
      near.write(word);
      await side.untilReceived(word.length);
      near.write(Buffer.from('more'));
      await side.untilReceived(word.length + 4);
      sides.push(side);
    }
    for (const side of sides) assert.ok(side.bytes().equals(Buffer.concat([word, Buffer.from('more')])));
    assert.equal(new Set(sides.flatMap((side) => side.memory)).size, 1);
  });
}

/** A port on ::1 alone, where connections are closed; null, and the test skipped, on a machine without IPv6. */
async function onSixAlone(context: TestContext): Promise<number | null> {
  try {
    const listener = await listen({ kind: 'tcp', host: '::1', port: 0 }, (transport) => transport.destroy(), nothing);
    context.after(() => listener.close());
    return listener.port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error;
    context.skip('this machine has no IPv6');
    return null;
  }
}

test('localhost is looked up where nobody listens on 127.0.0.1', async (context) => {
  const port = await onSixAlone(context);
  if (port === null) return;
  const asked: string[] = [];
  const lookUp = (host: string, _options: unknown, answer: (error: null, found: dns.LookupAddress[]) => void): void => {
    asked.push(host);
    answer(null, [{ address: '::1', family: 6 }]);
  };
  context.mock.method(dns, 'lookup', lookUp);
  const transport = await dialer({ kind: 'tcp', host: 'localhost', port }).dial(AbortSignal.timeout(20_000));
  assert.equal(transport.info.address, '::1');
  transport.destroy();
  assert.deepEqual(asked, ['localhost']);
});

test('localhost is not looked up where somebody listens on 127.0.0.1', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const { mock } = context.mock.method(dns, 'lookup');
  const transport = await rig.dial({ host: 'localhost' });
  assert.equal(transport.info.address, '127.0.0.1');
  transport.destroy();
  assert.equal(mock.callCount(), 0);
});

test('what a dialled socket hands over is not written to again: who dials keeps views of it', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const near = await rig.dial();
  const far = await rig.next();
  const kept: Buffer[] = [];
  const came = (): Promise<void> =>
    new Promise((resolve) => {
      const keep = (chunk: Buffer): void => {
        kept.push(chunk);
        resolve();
      };
      near.attach({ receive: keep, receiveLent: keep, writable: nothing, closed: nothing });
    });
  for (const text of ['first', 'other']) {
    const arrived = came();
    far.write(Buffer.from(text));
    await arrived;
  }
  assert.deepEqual(kept.map(String), ['first', 'other']);
});
