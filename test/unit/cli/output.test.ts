import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { Output } from '../../../src/cli/output.ts';

/** A stream that keeps its writes, and takes them only as fast as it is let. */
class Reader extends Writable {
  readonly writes: Buffer[] = [];
  readonly #pending: (() => void)[] = [];
  #open: boolean;

  constructor(open = true) {
    super({ highWaterMark: 16_384, decodeStrings: true });
    this.#open = open;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk);
    if (this.#open) done();
    else this.#pending.push(done);
  }

  get all(): string {
    return Buffer.concat(this.writes).toString();
  }

  open(): void {
    this.#open = true;
    for (const done of this.#pending.splice(0)) done();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('output', () => {
  it('has a fault where it was cut off, but not where its reader has gone', () => {
    for (const [code, fault] of [
      ['ENOSPC', 'The output is cut off: No space left on device.'],
      ['EPIPE', null],
    ] as const) {
      const reader = new Reader();
      const output = new Output(reader);
      assert.equal(output.fault, null);
      reader.emit('error', Object.assign(new Error('x'), { code }));
      assert.equal(output.fault, fault);
    }
  });

  it('joins what one loop turn prints, in order', async () => {
    const reader = new Reader();
    const output = new Output(reader);
    output.text('grün ');
    output.bytes(Buffer.from([0xff, 0x00]));
    output.text('\n');
    assert.equal(reader.writes.length, 0);
    await turn();
    assert.equal(reader.writes.length, 1);
    assert.deepEqual(reader.writes[0], Buffer.concat([Buffer.from('grün '), Buffer.from([0xff, 0x00, 0x0a])]));
    output.text('next');
    await turn();
    assert.equal(reader.writes.length, 2);
  });

  it('never touches again what it handed to the stream', async () => {
    const reader = new Reader(false);
    const output = new Output(reader);
    let expected = '';
    for (let i = 0; i < 40; i++) {
      const text = String.fromCharCode(65 + (i % 26)).repeat(1 + ((i * 7919) % 30_000));
      expected += text;
      if (i % 3 === 0) output.bytes(Buffer.from(text));
      else output.text(text);
      if (i % 5 === 0) await turn();
    }
    output.flush();
    reader.open();
    await output.finish();
    assert.equal(reader.all, expected);
  });

  it('tells when the reader is slow and when it has caught up', async () => {
    const reader = new Reader(false);
    const output = new Output(reader);
    const told: string[] = [];
    const drained = new Promise<void>((resolve) => {
      output.watch({
        full: () => told.push('full'),
        drained: () => {
          told.push('drained');
          resolve();
        },
        closed: () => told.push('closed'),
      });
    });
    for (let i = 0; i < 40; i++) output.bytes(Buffer.alloc(32_768));
    assert.deepEqual(told, ['full']);
    reader.open();
    await drained;
    assert.deepEqual(told, ['full', 'drained']);
  });

  it('takes a reader that went away for the end', async () => {
    const reader = new Reader();
    const output = new Output(reader);
    const closed = new Promise<Error>((resolve) => {
      output.watch({ full: () => assert.fail(), drained: () => assert.fail(), closed: resolve });
    });
    reader.destroy(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    assert.equal((await closed).message, 'broken pipe');
    output.text('dropped');
    await output.finish();
    assert.equal(reader.writes.length, 0);
    let late: Error | null = null;
    output.watch({
      full: () => assert.fail(),
      drained: () => assert.fail(),
      closed: (error) => {
        late = error;
      },
    });
    assert.ok(late !== null);
  });

  it('finishes when everything has left', async () => {
    const reader = new Reader(false);
    const output = new Output(reader);
    output.text('last words');
    let finished = false;
    const finish = output.finish().then(() => {
      finished = true;
    });
    await turn();
    assert.equal(finished, false);
    reader.open();
    await finish;
    assert.equal(reader.all, 'last words');
  });
});
