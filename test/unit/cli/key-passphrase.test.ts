// Encrypted private keys, with streams in the place of the terminal.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { Io } from '../../../src/cli/io.ts';
import { isEncrypted, unlocked } from '../../../src/cli/key-passphrase.ts';
import { openPrompter, type Prompter } from '../../../src/cli/prompt.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const lock = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' } as const;
const encrypted = privateKey.export({ type: 'pkcs8', ...lock }).toString();
const traditional = privateKey.export({ type: 'sec1', ...lock }).toString();
const plain = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Streams with this on standard input, and what was written to standard error. */
function streams(text: string): { io: Pick<Io, 'stdin' | 'stderr'>; written(): string } {
  const stdin = new PassThrough();
  stdin.end(text);
  const stderr = new PassThrough();
  return { io: { stdin, stderr } as unknown as Io, written: () => String(stderr.read() ?? '') };
}

/** A terminal where this is typed, and what it shows. */
function terminal(typed: string): { open: () => Prompter; shown(): string } {
  const input = new PassThrough();
  input.end(typed);
  const output = new PassThrough();
  const shown: string[] = [];
  output.on('data', (chunk: Buffer) => shown.push(chunk.toString()));
  const stdin = Object.assign(input, { isTTY: true, setRawMode: () => undefined }) as unknown as Io['stdin'];
  return { open: () => openPrompter({ stdin }, output), shown: () => shown.join('') };
}

const none = () => null;
const WRONG = { name: 'UsageError', message: /^The passphrase of the private key "k" is wrong/ };
const MISSING = { name: 'UsageError', message: 'The private key "k" is encrypted, and no passphrase was given.' };

describe('the passphrase of a key', () => {
  it('is needed by encrypted ones only', async () => {
    assert.deepEqual([encrypted, traditional, plain].map(isEncrypted), [true, true, false]);
    const { io, written } = streams('');
    assert.deepEqual(await unlocked({ key: plain }, 'k', io, true, none), { key: plain });
    assert.equal(written(), '');
  });

  it('is asked for at the terminal, also where standard input holds something else', async () => {
    for (const key of [encrypted, traditional]) {
      const { open, shown } = terminal('sesame\r');
      const { io } = streams('payload\n');
      assert.equal((await unlocked({ key }, 'k', io, false, open)).passphrase, 'sesame');
      assert.equal(shown(), 'Enter PEM pass phrase:\n');
    }
  });

  it('is read from standard input where there is no terminal', async () => {
    const { io, written } = streams('sesame\nrest\n');
    assert.equal((await unlocked({ key: encrypted }, 'k', io, true, none)).passphrase, 'sesame');
    assert.equal(written(), 'Enter PEM pass phrase:\n');
    const { io: busy } = streams('sesame\n');
    await assert.rejects(unlocked({ key: encrypted }, 'k', busy, false, none), MISSING);
  });

  it('is not asked for where a file gave it', async () => {
    const { io } = streams('');
    const { open, shown } = terminal('');
    await unlocked({ key: encrypted, passphrase: 'sesame' }, 'k', io, true, open);
    await assert.rejects(unlocked({ key: encrypted, passphrase: 'no' }, 'k', io, true, open), WRONG);
    assert.equal(shown(), '');
  });

  it('may be wrong, missing or interrupted', async () => {
    for (const [typed, fault] of [
      ['open\r', WRONG],
      ['\r', MISSING],
      ['ses\x03', { ...MISSING, code: 130 }],
      ['\x04', MISSING],
    ] as const) {
      await assert.rejects(unlocked({ key: encrypted }, 'k', streams('').io, true, terminal(typed).open), fault);
    }
  });
});
