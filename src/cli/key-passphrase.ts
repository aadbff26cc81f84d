// The passphrase of an encrypted private key: from a file, else asked for as OpenSSL asks Mosquitto's tools, at the terminal
// whatever standard input is, and on standard input where there is no terminal.
import { createPrivateKey } from 'node:crypto';
import { openSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';
import type { TlsClientOptions } from '../client/options.ts';
import type { Io } from './io.ts';
import { UsageError } from './messages.ts';
import { Interrupted, openPrompter } from './prompt.ts';

const QUESTION = 'Enter PEM pass phrase:';

/** Whether a key in PEM form (RFC 7468 section 11, RFC 1421 section 4.6.1.1) is encrypted. */
export function isEncrypted(key: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: *4, *ENCRYPTED/m.test(key);
}

/**
 * TLS options that have the passphrase of their key, if it needs one, and the right one. Throws UsageError.
 * @param file of the key, for sentences
 * @param hasStdin whether standard input is free for an answer
 * @param terminal opens the terminal that the process belongs to
 */
export async function unlocked(
  tls: TlsClientOptions,
  file: string,
  io: Pick<Io, 'stdin' | 'stderr'>,
  hasStdin: boolean,
  terminal: () => Terminal | null = openTerminal,
): Promise<TlsClientOptions> {
  if (typeof tls.key !== 'string' || !isEncrypted(tls.key)) return tls;
  const passphrase = tls.passphrase ?? (await ask(terminal() ?? (hasStdin ? standardStreams(io) : null)));
  if (passphrase === null || passphrase === '') {
    throw unusable(`The private key "${file}" is encrypted, and no passphrase was given.`);
  }
  try {
    createPrivateKey({ key: tls.key, passphrase });
  } catch (error) {
    // What a wrong passphrase makes of a key is now and then mistaken for a key of another kind.
    const isStrange = (error as NodeJS.ErrnoException).code === 'ERR_OSSL_UNSUPPORTED';
    const rest = isStrange ? ', or it is encrypted in a way that is not supported' : '';
    throw unusable(`The passphrase of the private key "${file}" is wrong${rest}.`);
  }
  return { ...tls, passphrase };
}

const unusable = (sentence: string): UsageError => new UsageError(sentence, 'nothing');

/** Where a question is asked. */
export interface Terminal {
  readonly stdin: Io['stdin'];
  readonly output: NodeJS.WritableStream;
  close(): void;
}

async function ask(terminal: Terminal | null): Promise<string | null> {
  if (terminal === null) return null;
  const prompter = openPrompter(terminal, terminal.output);
  try {
    return await prompter.ask(QUESTION);
  } catch (error) {
    if (error instanceof Interrupted) return null;
    throw error;
  } finally {
    prompter.close();
    terminal.close();
  }
}

const standardStreams = ({ stdin, stderr }: Pick<Io, 'stdin' | 'stderr'>): Terminal => ({
  stdin,
  output: stderr,
  close: () => undefined,
});

/** The terminal that the process belongs to; null where there is none. */
function openTerminal(): Terminal | null {
  try {
    const stdin = new ReadStream(openSync('/dev/tty', 'r'));
    const output = new WriteStream(openSync('/dev/tty', 'w'));
    return { stdin, output, close: () => output.destroy() };
  } catch {
    return null;
  }
}
