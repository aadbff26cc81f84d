import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { lineBatches, readPayloadFile, readPayloadStream } from '../../../src/cli/input.ts';
import { UsageError } from '../../../src/cli/messages.ts';

const streamOf = (chunks: readonly (string | Buffer)[]): Readable =>
  Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );

async function linesOf(chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of lineBatches(streamOf(chunks))) lines.push(...batch.map((line) => line.toString('latin1')));
  return lines;
}

function folder(context: TestContext): string {
  const name = mkdtempSync(path.join(tmpdir(), 'mqtt-input-'));
  context.after(() => rmSync(name, { recursive: true, force: true }));
  return name;
}

const sentence =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof UsageError && error.aftermath === 'nothing' && pattern.test(error.message);

describe('lines of standard input', () => {
  it('are messages, the empty ones and an unfinished last one too', async () => {
    assert.deepEqual(await linesOf(['a\n\nb\r\nlast']), ['a', '', 'b\r', 'last']);
    assert.deepEqual(await linesOf(['a\n']), ['a']);
    assert.deepEqual(await linesOf(['\n']), ['']);
    assert.deepEqual(await linesOf([]), []);
  });

  it('do not depend on how the bytes arrive', async () => {
    const chunk = fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes.map((byte) => byte % 16)));
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 8 }), async (chunks) => {
        const expected = Buffer.concat(chunks).toString('latin1').split('\n');
        if (expected.at(-1) === '') expected.pop();
        assert.deepEqual(await linesOf(chunks), expected);
      }),
    );
  });

  it('are read no faster than they are taken', async () => {
    let asked = 0;
    const stream = new Readable({
      highWaterMark: 1,
      read() {
        asked += 1;
        this.push(asked > 100 ? null : 'line\n');
      },
    });
    const batches = lineBatches(stream);
    await batches.next();
    const before = asked;
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(asked <= before + 1 && asked < 100, `${asked} reads`);
    let count = 1;
    for await (const lines of batches) count += lines.length;
    assert.equal(count, 100);
  });
});

describe('a whole payload', () => {
  it('comes from a file, byte by byte, and may be empty', async (context) => {
    const file = path.join(folder(context), 'payload');
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    writeFileSync(file, bytes);
    assert.deepEqual(await readPayloadFile(file), bytes);
    writeFileSync(file, '');
    assert.deepEqual(await readPayloadFile(file), Buffer.alloc(0));
  });

  it('is refused where the file is missing, a directory or too large', async (context) => {
    const directory = folder(context);
    const missing = path.join(directory, 'none');
    await assert.rejects(
      readPayloadFile(missing),
      sentence(/^Unable to open file ".*none"\.\nError loading input file ".*none"\.\nNo such file or directory\.$/),
    );
    await assert.rejects(readPayloadFile(directory), sentence(/it is a directory\.\nError loading input file/));
    const large = path.join(directory, 'large');
    writeFileSync(large, '');
    truncateSync(large, 268_435_455);
    await assert.rejects(readPayloadFile(large), sentence(/^File must be less than 268435455 bytes\./));
  });

  it('comes from a file that has content and no size', async () => {
    assert.match((await readPayloadFile('/proc/self/status')).toString(), /^Name:/);
  });

  it('comes from standard input, but not from an empty one', async () => {
    assert.equal((await readPayloadStream(streamOf(['a\n', 'b']))).toString(), 'a\nb');
    await assert.rejects(
      readPayloadStream(streamOf([])),
      sentence(/^Zero length input\.\nError loading input from stdin\.$/),
    );
  });

  it('does not come from standard input that cannot be read', async () => {
    const broken = new Readable({ read: () => broken.destroy(Object.assign(new Error('x'), { code: 'EIO' })) });
    await assert.rejects(readPayloadStream(broken), sentence(/^Unable to read standard input: Input\/output error\.$/));
  });
});
