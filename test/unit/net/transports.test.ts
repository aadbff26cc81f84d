// What every transport promises, asked of each of them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { memoryPair } from '../../../src/net/memory.ts';
import type { ListenSpec } from '../../../src/net/specs.ts';
import type { Transport } from '../../../src/net/transport.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { Recorder } from './recorder.ts';
import { openRig } from './rig.ts';

const server = makeCertificate({ subject: 'localhost', altNames: ['localhost', '127.0.0.1'] });
const tls = { cert: server.cert, key: server.key };

const KINDS = ['memory', 'tcp', 'unix', 'tls', 'ws', 'wss'] as const;

async function pairOf(context: TestContext, kind: (typeof KINDS)[number]): Promise<[Transport, Transport]> {
  if (kind === 'memory') return memoryPair();
  const folder = mkdtempSync(path.join(tmpdir(), 'transport-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const spec: Partial<ListenSpec> & { kind: ListenSpec['kind'] } = {
    kind,
    ...(kind === 'unix' ? { path: path.join(folder, 's') } : {}),
    ...(kind === 'tls' || kind === 'wss' ? { tls } : {}),
  };
  const rig = await openRig(context, spec);
  const near = await rig.dial({ tls: { ca: server.cert } });
  return [near, await rig.next()];
}

/** The side of a role first. */
const inRole = (role: 'dialled' | 'accepted', [dialled, accepted]: [Transport, Transport]): [Transport, Transport] =>
  role === 'dialled' ? [dialled, accepted] : [accepted, dialled];

/** Bytes in which a lost or doubled piece shows. */
const pattern = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

for (const kind of KINDS) {
  test(`${kind}: bytes arrive in order in both directions, also those sent before anyone listened`, async (context) => {
    const [near, far] = await pairOf(context, kind);
    near.write(Buffer.from('early '));
    const farSide = new Recorder(far);
    const nearSide = new Recorder(near);
    near.write(Buffer.from('bird'));
    far.write(Buffer.from('worm'));
    await Promise.all([farSide.untilReceived(10), nearSide.untilReceived(4)]);
    assert.equal(farSide.bytes().toString(), 'early bird');
    assert.equal(nearSide.bytes().toString(), 'worm');
    assert.equal(near.info.kind, kind);
    assert.equal(far.info.kind, kind);
  });

  test(`${kind}: what is written before end() arrives, and both sides are told of the end once`, async (context) => {
    const [near, far] = await pairOf(context, kind);
    const [nearSide, farSide] = [new Recorder(near), new Recorder(far)];
    const sent = pattern(300_000);
    near.write(sent);
    near.end();
    assert.equal(near.write(Buffer.from('too late')), true);
    near.end();
    assert.equal(await farSide.end(), null);
    assert.equal(await nearSide.end(), null);
    assert.ok(farSide.bytes().equals(sent));
    near.destroy(new Error('after the end'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([nearSide.ends, farSide.ends], [[null], [null]]);
  });

  test(`${kind}: destroy() ends both sides and keeps the reason on its own`, async (context) => {
    const [near, far] = await pairOf(context, kind);
    const [nearSide, farSide] = [new Recorder(near), new Recorder(far)];
    const reason = new Error('enough');
    near.destroy(reason);
    assert.equal(await nearSide.end(), reason);
    await farSide.end();
    assert.deepEqual([nearSide.ends.length, farSide.ends.length], [1, 1]);
  });

  test(`${kind}: a receiver that is attached after the end is told of it`, async (context) => {
    const [near, far] = await pairOf(context, kind);
    const farSide = new Recorder(far);
    near.destroy();
    await farSide.end();
    assert.equal(await new Recorder(near).end(), null);
  });

  test(`${kind}: a peer that does not read makes write() false, and writable() follows once it does`, async (context) => {
    const [near, far] = await pairOf(context, kind);
    const nearSide = new Recorder(near);
    far.pause();
    const farSide = new Recorder(far);
    const chunk = pattern(256 * 1024);
    let sent = 0;
    // Kernel buffers take some megabytes; 64 MiB are more than any of them.
    while (near.backlog < 1024 * 1024 && sent < 64 * 1024 * 1024) {
      near.write(chunk);
      sent += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(near.backlog >= 1024 * 1024);
    const before = nearSide.writables;
    far.resume();
    await farSide.untilReceived(sent);
    await nearSide.until(() => nearSide.writables > before);
    assert.equal(near.backlog, 0);
  });

  for (const role of ['dialled', 'accepted'] as const) {
    test(`${kind}: what comes while the ${role} side is paused is handed over afterwards, once and in order`, async (context) => {
      const [near, far] = inRole(role, await pairOf(context, kind));
      const nearSide = new Recorder(near);
      near.pause();
      const bytes = pattern(300_000);
      for (let at = 0; at < bytes.length; at += 30_000) far.write(bytes.subarray(at, at + 30_000));
      // What the receiver sends arrives later than what it was sent.
      const farSide = new Recorder(far);
      near.write(Buffer.from('seen'));
      await farSide.untilReceived(4);
      assert.equal(nearSide.bytes().length, 0);
      near.resume();
      near.pause();
      near.resume();
      await nearSide.untilReceived(bytes.length);
      assert.deepEqual(nearSide.bytes(), bytes);
    });

    test(`${kind}: a paused ${role} side is told that its peer is gone`, async (context) => {
      const [near, far] = inRole(role, await pairOf(context, kind));
      const nearSide = new Recorder(near);
      near.pause();
      far.destroy();
      await nearSide.end();
    });
  }

  test(`${kind}: corked writes leave together and whole`, async (context) => {
    const [near, far] = await pairOf(context, kind);
    new Recorder(near);
    const farSide = new Recorder(far);
    near.cork();
    near.write(Buffer.from('head '));
    near.write(Buffer.from('body'));
    near.uncork();
    await farSide.untilReceived(9);
    assert.equal(farSide.bytes().toString(), 'head body');
  });
}
