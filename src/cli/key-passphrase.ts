// The passphrase of an encrypted private key: from a file, else asked for as OpenSSL asks Mosquitto's tools, at the terminal
// whatever standard input is, and on standard input where there is no terminal.
import { createPrivateKey } from 'node:crypto';
import type { TlsClientOptions } from '../client/options.ts';
import type { Io } from './io.ts';
import { EXIT_INTERRUPTED, UsageError } from './messages.ts';
import { openTerminal } from './password-source.ts';
import { Interrupted, openPrompter, type Prompter } from './prompt.ts';

type Streams = Pick<Io, 'stdin' | 'stderr'>;

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
  io: Streams,
  hasStdin: boolean,
  terminal: (io: Streams) => Prompter | null = openTerminal,
): Promise<TlsClientOptions> {
  if (typeof tls.key !== 'string' || !isEncrypted(tls.key)) return tls;
  const missing = `The private key "${file}" is encrypted, and no passphrase was given.`;
  const passphrase = tls.passphrase ?? (await ask(io, hasStdin, terminal, missing));
  if (passphrase === null || passphrase === '') throw new UsageError(missing, 'nothing');
  try {
    createPrivateKey({ key: tls.key, passphrase });
  } catch (error) {
    // What a wrong passphrase makes of a key is now and then mistaken for a key of another kind.
    const isStrange = (error as NodeJS.ErrnoException).code === 'ERR_OSSL_UNSUPPORTED';
    const rest = isStrange ? ', or it is encrypted in a way that is not supported' : '';
    throw new UsageError(`The passphrase of the private key "${file}" is wrong${rest}.`, 'nothing');
  }
  return { ...tls, passphrase };
}

async function ask(
  io: Streams,
  hasStdin: boolean,
  terminal: (io: Streams) => Prompter | null,
  missing: string,
): Promise<string | null> {
  const prompter = terminal(io) ?? (hasStdin ? openPrompter(io, io.stderr) : null);
  if (prompter === null) return null;
  try {
    return await prompter.ask('Enter PEM pass phrase:');
  } catch (error) {
    throw error instanceof Interrupted ? new UsageError(missing, 'nothing', EXIT_INTERRUPTED) : error;
  } finally {
    prompter.close();
  }
}
