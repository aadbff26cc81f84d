// The allocation budget of a PUBLISH's walk: what it costs the heap is a number, and the number is held. The probe runs
// in a process of its own because it needs flags of the engine.
import assert from 'node:assert/strict';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { finish } from '../support/process.ts';

/** One young generation that holds everything allocated between two readings. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];

/** The smallest object that could sneak in, a view of a buffer, is 45 to 60 bytes. */
const NOTHING = 24;
/** A message, its frame, and one view of that frame's bytes. */
const MESSAGE = 400;

test('a PUBLISH allocates one message and nothing per delivery', async () => {
  const probe = path.join(import.meta.dirname, 'packet-path-probe.js');
  const { code, stdout, stderr } = await finish(process.execPath, [...FLAGS, probe]);
  assert.equal(code, 0, stderr);
  const { read, one, ten } = JSON.parse(stdout);
  assert.ok(read >= 0 && read < NOTHING, `frame, read, intern and plan: ${read} bytes a packet`);
  assert.ok(one > read && one < MESSAGE, `the whole walk to one receiver: ${one} bytes a packet`);
  const each = (ten - one) / 9;
  assert.ok(each < NOTHING, `each further delivery: ${each} bytes`);
});
