// The lock of a store where several processes want it at the same moment.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockStore } from '../../../src/broker/store/lock.ts';

const PROCESSES = 3;
const ROUNDS = 40;

function scratch(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-lock-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A process that takes the lock of each folder it is told, at the time it is told, and says whether it got it. */
function taker(context: TestContext): ChildProcess {
  const child = fork(fileURLToPath(new URL('../../support/lock-taker.js', import.meta.url)));
  context.after(() => child.kill('SIGKILL'));
  return child;
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const [answer] = await once(child, 'message', { signal: AbortSignal.timeout(20_000) });
  return answer;
}

test('of several who come at once, one gets the lock, also where one was left behind', async (context) => {
  const root = scratch(context);
  const takers = Array.from({ length: PROCESSES }, () => taker(context));
  await Promise.all(takers.map(answerOf));
  for (let round = 0; round < ROUNDS; round++) {
    const folder = path.join(root, String(round));
    mkdirSync(folder);
    const left = round % 2 === 0 ? null : '1 12345\n';
    if (left !== null) writeFileSync(path.join(folder, 'lock'), left);
    const answers = takers.map(answerOf);
    const at = Date.now() + 5;
    for (const child of takers) child.send({ folder, at });
    const got = (await Promise.all(answers)).filter((answer) => answer === 'locked');
    assert.equal(got.length, 1, `round ${round}`);
    assert.deepEqual(readdirSync(folder), ['lock']);
  }
});

test('a lock that was left empty counts for nothing', (context) => {
  const folder = scratch(context);
  writeFileSync(path.join(folder, 'lock'), '');
  const lock = lockStore(folder);
  assert.match(readFileSync(path.join(folder, 'lock'), 'utf8'), new RegExp(`^${process.pid} `));
  lock.release();
  assert.equal(existsSync(path.join(folder, 'lock')), false);
});

test('nor does a link that leads nowhere', (context) => {
  const folder = scratch(context);
  symlinkSync('nowhere', path.join(folder, 'lock'));
  lockStore(folder).release();
  assert.deepEqual(readdirSync(folder), []);
});

test('nor does what was left by a process that died while it broke another one’s lock', (context) => {
  const folder = scratch(context);
  writeFileSync(path.join(folder, 'lock'), '1 12345\n');
  writeFileSync(path.join(folder, 'lock.broken'), '');
  lockStore(folder).release();
  assert.deepEqual(readdirSync(folder), []);
});
