import assert from 'node:assert/strict';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HashPool } from '../../../src/broker/plugins/hash-pool.ts';
import { makeHash } from '../../../src/broker/plugins/hashes.ts';
import { finish } from '../../support/process.ts';

function pool(context: TestContext, limits?: ConstructorParameters<typeof HashPool>[0]): HashPool {
  const created = new HashPool(limits);
  context.after(() => created.close());
  return created;
}

const right = Buffer.from('right');
const wrong = Buffer.from('wrong');
const stored = await makeHash(right, 'bcrypt', 4);

test('a worker checks every form, and says what is wrong with a bad one', async (context) => {
  const hashes = pool(context);
  assert.equal(hashes.running, false);
  for (const [scheme, cost] of [
    ['bcrypt', 4],
    ['sha512', undefined],
    ['sha512-pbkdf2', 10],
    ['argon2id', 1],
  ] as const) {
    const hash = await makeHash(right, scheme, cost);
    assert.equal(await hashes.verify('a', 'u', right, hash), 'match', scheme);
    assert.equal(await hashes.verify('a', 'u', wrong, hash), 'mismatch', scheme);
  }
  assert.equal(hashes.running, true);
  await assert.rejects(hashes.verify('a', 'u', right, '$6$bad'), /not of the form/);
  assert.equal(await hashes.verify('a', 'u', right, stored), 'match');
});

test('the event loop keeps turning while bcrypt and argon2id are at work', async (context) => {
  const hashes = pool(context);
  await hashes.verify('a', 'u', right, stored);
  for (const hash of [await makeHash(right, 'bcrypt', 12), await makeHash(right, 'argon2id', 2)]) {
    let done = false;
    const check = hashes.verify('a', 'u', wrong, hash).finally(() => {
      done = true;
    });
    let turns = 0;
    while (!done) {
      await nextTurn();
      turns += 1;
    }
    assert.equal(await check, 'mismatch');
    assert.ok(turns > 500, `the loop turned ${turns} times only`);
  }
});

test('a flood from one address does not hold up another, nor another user of its own', async (context) => {
  const hashes = pool(context);
  const order: string[] = [];
  const all: Promise<unknown>[] = [];
  const ask = (label: string, address: string, user: string, password: Buffer): void => {
    all.push(hashes.verify(address, user, password, stored).then((verdict) => order.push(`${label} ${verdict}`)));
  };
  for (let i = 0; i < 40; i++) ask('flood', '10.0.0.1', 'tom', wrong);
  ask('neighbour', '10.0.0.1', 'ann', right);
  ask('other', '10.0.0.2', 'tom', right);
  await Promise.all(all);
  assert.equal(order.length, 42);
  // One check was under way already, and each group has one turn before the other has its second.
  assert.ok(order.indexOf('other match') <= 2, order.slice(0, 6).join());
  assert.ok(order.indexOf('neighbour match') <= 5, order.slice(0, 8).join());
});

test('too many waiting checks are refused at the cost of the address that has most', async (context) => {
  const hashes = pool(context, { waiting: 10 });
  const flood = Array.from({ length: 50 }, () => hashes.verify('10.0.0.1', 'tom', wrong, stored));
  const other = hashes.verify('10.0.0.2', 'ann', right, stored);
  assert.equal(await other, 'match');
  const verdicts = await Promise.all(flood);
  assert.equal(verdicts.filter((verdict) => verdict === 'mismatch').length, 10);
  assert.equal(verdicts.filter((verdict) => verdict === 'busy').length, 40);
});

test('the password is copied: the caller may overwrite its bytes at once', async (context) => {
  const hashes = pool(context);
  const chunk = Buffer.from('right');
  const check = hashes.verify('a', 'u', chunk, stored);
  chunk.fill(0);
  assert.equal(await check, 'match');
});

test('the thread ends after a while without work and starts again when needed', async (context) => {
  const hashes = pool(context, { idleMs: 1 });
  assert.equal(await hashes.verify('a', 'u', right, stored), 'match');
  while (hashes.running) await nextTurn();
  assert.equal(await hashes.verify('a', 'u', wrong, stored), 'mismatch');
});

test('closing rejects what is under way, what waits and what comes later', async () => {
  const hashes = new HashPool();
  const checks = Array.from({ length: 3 }, () => hashes.verify('a', 'u', right, stored));
  hashes.close();
  for (const check of checks) await assert.rejects(check, /the broker is stopping/);
  await assert.rejects(hashes.verify('a', 'u', right, stored), /the broker is stopping/);
  assert.equal(hashes.running, false);
});

test('a waiting check keeps the process alive, an idle pool does not', async () => {
  const module = new URL('../../../src/broker/plugins/hash-pool.js', import.meta.url);
  const script = `
    const { HashPool } = await import(${JSON.stringify(module.href)});
    new HashPool().verify('a', 'u', Buffer.from('right'), ${JSON.stringify(stored)}).then(console.log);
  `;
  const result = await finish(process.execPath, ['--input-type=module', '-e', script]);
  assert.deepEqual(result, { code: 0, stdout: 'match\n', stderr: '' });
});
