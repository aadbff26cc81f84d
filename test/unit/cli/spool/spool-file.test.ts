import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { MessageEncoder, type SpooledMessage } from '../../../../src/cli/spool/records.ts';
import { SpoolFile, type Taken } from '../../../../src/cli/spool/spool-file.ts';
import type { PublishOptions } from '../../../../src/client/options.ts';
import { scratch } from '../../../support/mosquitto.ts';

const LARGE = 1_000_000;

const spoolIn = (context: TestContext): string => path.join(scratch(context), 'spool');

function append(spool: SpoolFile, topic: string, how: PublishOptions, payloads: readonly Buffer[]): void {
  spool.append(new MessageEncoder(topic, how).encode(payloads), payloads.length);
}

const texts = (taken: readonly Taken[]): string[] => taken.map(({ message }) => message.payload.toString());

/** Everything that a spool still has, read by a run of its own, which changes nothing. */
async function leftIn(file: string): Promise<{ messages: SpooledMessage[]; warning: string | null }> {
  const spool = new SpoolFile(file);
  const messages: SpooledMessage[] = [];
  for (let taken = spool.take(LARGE); taken.length > 0; taken = spool.take(LARGE)) {
    messages.push(...taken.map(({ message }) => message));
  }
  assert.equal(spool.kept, messages.length);
  await spool.close();
  return { messages, warning: spool.warning };
}

test('messages come back as they were, with the topic and options of their own', async (context) => {
  const folder = scratch(context);
  let rounds = 0;
  const options = fc.record(
    {
      qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
      retain: fc.boolean(),
      properties: fc.constantFrom(
        {},
        { contentType: 'text/ü', correlationData: Buffer.from([0, 255]) },
        { userProperties: [['a', 'b'] as const, ['a', ''] as const], messageExpiryInterval: 7 },
      ),
    },
    { noNullPrototype: true },
  );
  const message = fc.tuple(
    fc.constantFrom('a', 'a/ü/b', `t${'x'.repeat(60_000)}`),
    options,
    fc.array(fc.uint8Array({ maxLength: 40, size: 'max' }), { maxLength: 4 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 6 }), async (batches) => {
      rounds += 1;
      const file = path.join(folder, `spool${rounds}`);
      const spool = new SpoolFile(file);
      const expected: SpooledMessage[] = [];
      for (const [topic, how, payloads] of batches) {
        const bytes = payloads.map((payload) => Buffer.from(payload));
        append(spool, topic, how, bytes);
        expected.push(...bytes.map((payload) => ({ topic, payload, how })));
      }
      await spool.close();
      const { messages, warning } = await leftIn(file);
      assert.deepEqual(messages, expected);
      assert.equal(warning, null);
    }),
    { numRuns: 60 },
  );
});

/** A spool of these lines, of which the first few are done; its bytes. */
async function bytesOf(file: string, lines: readonly string[], done: number): Promise<Buffer> {
  const spool = new SpoolFile(file);
  append(
    spool,
    't',
    { qos: 1 },
    lines.map((line) => Buffer.from(line)),
  );
  for (const one of spool.take(LARGE).slice(0, done)) spool.finished(one);
  await spool.close();
  return readFileSync(file);
}

test('of a file that was cut or damaged anywhere, what stands in front of it comes back and nothing else', async (context) => {
  const folder = scratch(context);
  const lines = Array.from({ length: 12 }, (_, i) => `line ${i} ${'.'.repeat(i * 5)}`);
  const whole = await bytesOf(path.join(folder, 'whole'), lines, 3);
  let rounds = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, flip, cuts) => {
      rounds += 1;
      const file = path.join(folder, `spool${rounds}`);
      const bytes = Buffer.from(cuts ? whole.subarray(0, at) : whole);
      if (!cuts && at < bytes.length) bytes[at]! ^= flip;
      writeFileSync(file, bytes);
      if (!cuts && at < 19) {
        assert.throws(() => new SpoolFile(file), {
          message: `"${file}" is not a spool of mqtt-pub; it is left as it is.`,
        });
        assert.deepEqual(readFileSync(file), bytes);
        return;
      }
      const { messages, warning } = await leftIn(file);
      const left = messages.map(({ payload }) => payload.toString());
      // The note that three are done stands at the end: without it they come again.
      const isNoted = warning === null && at >= whole.length;
      assert.deepEqual(left, lines.slice(isNoted ? 3 : 0, (isNoted ? 3 : 0) + left.length));
      if (warning !== null) {
        const copy = readFileSync(`${file}.damaged`);
        assert.ok(copy.length > 0 && bytes.subarray(-copy.length).equals(copy));
        assert.match(warning, /damaged or were not written to their end/);
        assert.equal((await leftIn(file)).warning, null);
      } else if (!cuts) assert.equal(at, whole.length);
    }),
    { numRuns: 60 },
  );
});

type Step = { readonly kind: 'append' | 'take' | 'finish' | 'note' | 'kill'; readonly n: number };

test('whatever is done in whatever order, a process that ends at any moment leaves what is not done, in its order', async (context) => {
  const folder = scratch(context);
  let rounds = 0;
  const step = fc.record({
    kind: fc.constantFrom<Step['kind']>('append', 'take', 'take', 'finish', 'finish', 'note', 'note', 'kill'),
    n: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 25, maxLength: 60, size: 'max' }), async (steps) => {
      rounds += 1;
      mkdirSync(path.join(folder, String(rounds)));
      const file = path.join(folder, String(rounds), 'spool');
      // Small enough to have the file written anew all the time.
      const spool = new SpoolFile(file, 20);
      let written = 0;
      const out: Taken[] = [];
      let next = 0;
      /** What was not done when the last note was written: no more than this may come back, and no less than what is open now. */
      const open = new Set<string>();
      let noted: string[] = [];
      for (const { kind, n } of steps) {
        if (kind === 'append') {
          const lines = Array.from({ length: n }, () => `${written++}`);
          append(
            spool,
            't',
            { qos: 1 },
            lines.map((line) => Buffer.from(line)),
          );
          for (const line of lines) open.add(line);
          noted.push(...lines);
        } else if (kind === 'take') {
          for (const one of spool.take(n * 60)) {
            assert.equal(one.message.payload.toString(), String(next++));
            out.push(one);
          }
        } else if (kind === 'finish') {
          for (const one of out.splice(n % 3 === 2 ? 1 : 0, n)) {
            spool.finished(one);
            open.delete(one.message.payload.toString());
          }
        } else if (kind === 'note') {
          spool.note();
          const first = noted.findIndex((line) => open.has(line));
          noted = first === -1 ? [] : noted.slice(first);
        } else {
          const copy = `${file}.${readdirSync(path.dirname(file)).length}`;
          copyFileSync(file, copy);
          const left = (await leftIn(copy)).messages.map(({ payload }) => payload.toString());
          assert.deepEqual(left, noted);
          for (const line of open) assert.ok(left.includes(line));
        }
      }
      for (const one of spool.take(LARGE)) {
        assert.equal(one.message.payload.toString(), String(next++));
        out.push(one);
      }
      assert.equal(next, written);
      for (const one of out) spool.finished(one);
      assert.equal(spool.kept, 0);
      await spool.close();
      assert.equal(statSync(file).size, 0);
      assert.equal(existsSync(`${file}.new`), false);
    }),
    { numRuns: 50 },
  );
});

test('a file that keeps on being filled is written anew without what is done, and emptied in the end', async (context) => {
  const file = spoolIn(context);
  const spool = new SpoolFile(file, 10_000);
  let largest = 0;
  const got: string[] = [];
  let last: Taken[] = [];
  for (let i = 0; i < 500; i++) {
    append(spool, 't', {}, [Buffer.from(`${i} ${'x'.repeat(100)}`)]);
    const taken = spool.take(LARGE);
    got.push(...texts(taken).map((text) => text.split(' ', 1)[0]!));
    for (const one of last) spool.finished(one);
    last = taken;
    spool.note();
    largest = Math.max(largest, statSync(file).size);
  }
  assert.deepEqual(
    got,
    Array.from({ length: 500 }, (_, i) => String(i)),
  );
  assert.ok(largest < 12_000, String(largest));
  for (const one of last) spool.finished(one);
  await spool.close();
  assert.equal(statSync(file).size, 0);
});

test("a spool is its owner's alone, one process's at a time, and nothing but a spool", async (context) => {
  const file = spoolIn(context);
  const spool = new SpoolFile(file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.throws(() => new SpoolFile(file), { message: `The spool "${file}" is in use by the process ${process.pid}.` });
  append(spool, 't', {}, [Buffer.from('x')]);
  await spool.close();
  const other = path.join(path.dirname(file), 'other');
  writeFileSync(other, 'a letter to grandmother\n');
  assert.throws(() => new SpoolFile(other), { message: `"${other}" is not a spool of mqtt-pub; it is left as it is.` });
  assert.equal(readFileSync(other, 'utf8'), 'a letter to grandmother\n');
  const folder = path.dirname(file);
  assert.throws(() => new SpoolFile(folder), { message: `Unable to open the spool "${folder}": Is a directory.` });
  assert.deepEqual(readdirSync(folder).sort(), ['other', 'spool']);
  truncateSync(file, 5);
  const { messages, warning } = await leftIn(file);
  assert.deepEqual(messages, []);
  assert.match(warning ?? '', /^The last 5 bytes of the spool/);
});

test('a spool has one lock whatever it is called, and one name that is no link', async (context) => {
  const file = spoolIn(context);
  const folder = path.dirname(file);
  const link = path.join(folder, 'link');
  symlinkSync('spool', link);
  const spool = new SpoolFile(link);
  assert.equal(spool.name, file);
  for (const name of [file, link]) {
    assert.throws(() => new SpoolFile(name), {
      message: `The spool "${name}" is in use by the process ${process.pid}.`,
    });
  }
  append(spool, 't', {}, [Buffer.from('x')]);
  await spool.close();
  const twin = path.join(folder, 'twin');
  linkSync(file, twin);
  assert.throws(() => new SpoolFile(twin), {
    message: `The spool "${twin}" has 2 names (hard links): it must have one.`,
  });
  rmSync(twin);
  assert.equal((await leftIn(link)).messages.length, 1);
});

test('what can’t be trusted goes to a file of its own each time, and never through a link', async (context) => {
  const file = spoolIn(context);
  const folder = path.dirname(file);
  const letter = path.join(folder, 'letter');
  writeFileSync(letter, 'to grandmother');
  symlinkSync('letter', `${file}.damaged`);
  for (const [cut, copy] of [
    [5, `${file}.damaged.2`],
    [4, `${file}.damaged.3`],
  ] as const) {
    writeFileSync(file, 'mqtt-suite spool 1\n'.slice(0, cut));
    assert.match((await leftIn(file)).warning ?? '', new RegExp(`moved to "${copy}"`));
    assert.equal(readFileSync(copy, 'utf8'), 'mqtt-'.slice(0, cut));
  }
  assert.equal(readFileSync(letter, 'utf8'), 'to grandmother');
});

test('nothing is added to a spool that another program has changed, and what it held is said to be lost', async (context) => {
  const file = spoolIn(context);
  const spool = new SpoolFile(file);
  append(spool, 't', {}, [Buffer.from('x')]);
  truncateSync(file, 0);
  assert.throws(() => append(spool, 't', {}, [Buffer.from('y')]), { message: 'another program changed it' });
  await assert.rejects(spool.close(), /removed or changed while it was in use: 1 line that was kept in it is lost\.$/);
  assert.equal(statSync(file).size, 0);
});

test('a record that is whole and no message is the fault of the spool, not of the broker', async (context) => {
  const file = spoolIn(context);
  const spool = new SpoolFile(file);
  append(spool, 't\u0001', {}, [Buffer.from('x')]);
  assert.throws(() => spool.take(1), {
    name: 'UsageError',
    message: `The spool "${file}" holds what is no message: the topic contains the control character U+0001.`,
  });
  await spool.close();
});

test('a spool that is removed or replaced while lines are kept in it says that they are lost', async (context) => {
  const file = spoolIn(context);
  for (const replacement of [null, 'another']) {
    const spool = new SpoolFile(file);
    append(spool, 't', {}, [Buffer.from('x'), Buffer.from('y')]);
    rmSync(file);
    if (replacement !== null) writeFileSync(file, replacement);
    await assert.rejects(spool.close(), {
      message: `The spool "${file}" was removed or changed while it was in use: 2 lines that were kept in it are lost.`,
    });
    assert.equal(existsSync(`${file}.lock`), false);
    if (replacement !== null) assert.equal(readFileSync(file, 'utf8'), replacement);
  }
});
