// Why a client is refused, in the log: one line with its name, its address and the reason that it was told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DENY, type Plugin } from '../../src/broker/hooks/points.ts';
import { BANNED, USE_ANOTHER_SERVER } from '../../src/protocol/reasons.ts';
import { RawClient } from '../support/raw-client.ts';
import { join, open, refusal } from './harness.ts';

/** Refuses by user name, and says more or less about it. */
const gatekeeper: Plugin = {
  name: 'gatekeeper',
  authenticate({ username }) {
    if (username === 'eve') return { reason: BANNED, reasonString: 'Not after last time.' };
    if (username === 'tom') return { reason: USE_ANOTHER_SERVER, serverReference: 'b.example' };
    // What no type checker saw.
    if (username === 'nil') return JSON.parse('{ "reason": 138 }');
    return DENY;
  },
};

test('a refusal is logged once, with name, address and why', async (context) => {
  const { port, log } = await open(context, {}, { plugins: [gatekeeper] });
  assert.equal(await refusal(port, { clientId: 'one', username: 'eve', password: 'x' }), 0x8a);
  await log.seen(/Client one \[127\.0\.0\.1:\d+\] refused: Not after last time\.\n/);
  await log.seen(/Client one \[127\.0\.0\.1:\d+\] disconnected: client banned\.\n/);
  assert.equal(await refusal(port, { clientId: 'two', username: 'tom', password: 'x' }), 0x9c);
  await log.seen(/Client two \[127\.0\.0\.1:\d+\] refused: Use another server\.\n/);
  assert.equal(await refusal(port, { clientId: 'three', username: 'ann', password: 'x' }), 0x87);
  await log.seen(/Client three \[127\.0\.0\.1:\d+\] refused: Not authorized to connect\.\n/);
  assert.equal(log.count(' refused: '), 3);
});

test('a refusal that is none is an error of the plugin, and a no', async (context) => {
  const { port, log } = await open(context, {}, { plugins: [gatekeeper] });
  assert.equal(await refusal(port, { clientId: 'one', username: 'nil', password: 'x' }), 0x87);
  await log.seen(
    'Plugin gatekeeper failed in authenticate: the reason of the refusal is none that refuses a connection',
  );
});

test('an older client that is refused for its keep-alive finds the limit in the log', async (context) => {
  const { port, log } = await open(context, { global: { maxKeepalive: 100 } });
  assert.equal(await refusal(port, { version: '3.1.1', keepAlive: 200, clientId: 'long' }), 2);
  await log.seen(/\] refused: The keep-alive of 200 seconds is not among the 1 to 100 allowed\.\n/);
});

test('what a client says about an acknowledgement is in the log of the debug type', async (context) => {
  const { port, log } = await open(context);
  await join(context, port);
  const raw = await RawClient.join(port, 'raw');
  const properties = { reasonString: 'no room', userProperties: [['shelf', '3']] as const };
  raw.send({ type: 4, id: 7, code: 0x97, properties });
  raw.send({ type: 14, code: 0x83, properties: { reasonString: 'good night' } });
  await raw.ended();
  await log.seen('\tPUBACK from raw (rc151) says: no room\n');
  await log.seen('\tPUBACK from raw has the user property shelf: 3\n');
  await log.seen('\tDISCONNECT from raw (rc131) says: good night\n');
});
