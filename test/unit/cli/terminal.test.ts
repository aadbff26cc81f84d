// Colours and spinner, with streams in the place of terminals.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { paintFor, withSpinner } from '../../../src/cli/terminal.ts';

/** What was written to a stream that passes for a terminal, or for a pipe. */
function fake(isTTY: boolean, columns = 80): { stream: NodeJS.WriteStream; written(): string } {
  const pass = new PassThrough();
  const terminal = { isTTY, columns, clearLine: () => true, cursorTo: () => true, moveCursor: () => true };
  return {
    stream: Object.assign(pass, terminal) as unknown as NodeJS.WriteStream,
    written: () => String(pass.read() ?? ''),
  };
}

describe('colours', () => {
  const coloured = async (isTTY: boolean, env: Record<string, string>) => {
    const paint = await paintFor(fake(isTTY).stream, env);
    return [paint.error('x'), paint.warning('x'), paint.topic('x')].every((text) => text !== 'x');
  };

  it('only on a terminal, without NO_COLOR', async () => {
    assert.equal(await coloured(true, {}), true);
    assert.equal(await coloured(true, { NO_COLOR: '' }), true);
    assert.equal(await coloured(false, {}), false);
    assert.equal(await coloured(false, { FORCE_COLOR: '1' }), false);
    assert.equal(await coloured(true, { NO_COLOR: '1' }), false);
    assert.equal(await coloured(true, { TERM: 'dumb' }), false);
  });

  it('are taken back behind the text', async () => {
    const { error } = await paintFor(fake(true).stream, {});
    assert.equal(error('x'), '\x1b[31mx\x1b[39m');
  });
});

describe('the spinner', () => {
  const run = async (isTTY: boolean, columns: number, env: Record<string, string>, work: Promise<unknown>) => {
    const { stream, written } = fake(isTTY, columns);
    const result = await withSpinner({ stderr: stream, env }, 'Hashing', work).catch((error: unknown) => error);
    return { result, written: written() };
  };

  it('shows on a terminal', async () => {
    const { result, written } = await run(true, 80, {}, Promise.resolve(7));
    assert.equal(result, 7);
    assert.match(written, /Hashing/);
  });

  it('hands errors on', async () => {
    const { result } = await run(true, 80, {}, Promise.reject(new Error('no')));
    assert.equal((result as Error).message, 'no');
  });

  for (const [what, isTTY, columns, env] of [
    ['a pipe', false, 80, {}],
    ['NO_COLOR', true, 80, { NO_COLOR: '1' }],
    ['a terminal of no width', true, 0, {}],
  ] as const) {
    it(`stays away with ${what}`, async () => {
      const { result, written } = await run(isTTY, columns, env, Promise.resolve(7));
      assert.deepEqual([result, written], [7, '']);
    });
  }
});
