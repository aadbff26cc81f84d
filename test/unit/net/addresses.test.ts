// Where a dial goes to and comes from: hosts, local addresses and paths that are odd.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialer } from '../../../src/net/endpoint.ts';
import type { DialSpec } from '../../../src/net/specs.ts';
import { openRig } from './rig.ts';

const dial = (spec: Partial<DialSpec>) =>
  dialer({ kind: 'tcp', host: '127.0.0.1', port: 1, ...spec }).dial(AbortSignal.timeout(20_000));

test('a local address, in either family and by name', async (context) => {
  const four = await openRig(context, { kind: 'tcp' });
  await four.dial({ localAddress: '127.0.0.2' });
  assert.equal((await four.next()).info.address, '127.0.0.2');
  await four.dial({ localAddress: 'localhost' });
  assert.equal((await four.next()).info.address, '127.0.0.1');
  await four.dial({ host: 'localhost', localAddress: '127.0.0.3' });
  assert.equal((await four.next()).info.address, '127.0.0.3');
  const six = await openRig(context, { kind: 'tcp', host: '::1' });
  await six.dial({ host: '::1', localAddress: '::1' });
  assert.equal((await six.next()).info.address, '::1');
});

test('a local address that is none, not here, or of the other family', async () => {
  await assert.rejects(dial({ localAddress: '203.0.113.5' }), { code: 'EADDRNOTAVAIL' });
  await assert.rejects(dial({ localAddress: 'no-such-name.invalid' }), {
    name: 'LookupError',
    message: 'There is no local address "no-such-name.invalid" to connect from.',
  });
  await assert.rejects(dial({ localAddress: '' }), { name: 'LookupError' });
  await assert.rejects(dial({ localAddress: '::1' }), { code: 'EAFNOSUPPORT' });
});

test('an empty host is not this machine', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  for (const kind of ['tcp', 'ws', 'tls', 'wss'] as const) {
    await assert.rejects(rig.dial({ kind, host: '' }), { code: 'ENOTFOUND' });
  }
  assert.equal(rig.accepted.length, 0);
});

test('the path of a Unix socket is not cut off', async () => {
  await assert.rejects(dial({ kind: 'unix', host: `/tmp/${'x'.repeat(200)}` }), { code: 'ENAMETOOLONG' });
});

test('an empty protocol name is none', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  // Plain text is what answers: that there is an answer at all is the point.
  const near = rig.dial({ kind: 'tls', tls: { alpn: [''], verify: false } });
  (await rig.next()).end();
  await assert.rejects(near);
});
