// TLS options of a client tool → TLS options of the client: reads the PEM files, with a clear sentence for one that is
// missing or holds something else.
import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { TlsClientOptions } from '../client/options.ts';
import { readSmallFile } from '../util/small-file.ts';
import { systemErrorText } from '../util/system-error.ts';
import type { Io } from './io.ts';
import { tlsFileError } from './messages.ts';
import type { Fields } from './options/row.ts';
import type { TLS_OPTIONS } from './options/tls.ts';
import { preSharedKey } from './psk-option.ts';

/** The parsed TLS options. */
export type TlsFields = Fields<(typeof TLS_OPTIONS)[number], 'pub'>;

/** Where systems keep the certificates that they trust, the most common first. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const;

/** Largest file that is read, in bytes. */
const LARGEST_FILE = 64 * 1024 * 1024;
const PIPE_PATIENCE_MS = 2000;

/** The client's TLS options. Throws UsageError for a file that can't be used. */
export function tlsOptions(options: TlsFields, env: Io['env']): TlsClientOptions {
  const keylog = options.tlsKeylog === null ? (env['SSLKEYLOGFILE'] ?? '') : writable(options.tlsKeylog);
  return {
    ...(options.psk === null ? certificates(options, env) : { psk: preSharedKey(options.psk, options.pskIdentity) }),
    ...(options.ciphers === null ? {} : { ciphers: options.ciphers }),
    ...(options.tlsAlpn === null ? {} : { alpn: [options.tlsAlpn] }),
    ...(options.tlsVersion === null ? {} : { minVersion: options.tlsVersion }),
    ...(keylog === '' ? {} : { keylog: (line) => appendSecret(keylog, line) }),
  };
}

function certificates(options: TlsFields, env: Io['env']): TlsClientOptions {
  return {
    ca: authorities(options, env),
    verify: !options.insecure,
    ...(options.cert === null ? {} : { cert: readPem(options.cert, 'CERTIFICATE') }),
    ...(options.key === null ? {} : { key: readPem(options.key, 'PRIVATE KEY') }),
    ...(options.keyPassFile === null ? {} : { passphrase: firstLine(options.keyPassFile) }),
  };
}

/** The certificates to trust; null leaves the choice to Node, where the system has no list that is known here. */
function authorities(options: TlsFields, env: Io['env']): string[] | null {
  const named: string[] = [];
  if (options.cafile !== null) named.push(readPem(options.cafile, 'CERTIFICATE'));
  if (options.capath !== null) named.push(...readDirectory(options.capath));
  const systemWanted = options.tlsUseOsCerts || (options.cafile === null && options.capath === null);
  const system = systemWanted ? systemAuthorities(env) : null;
  if (system !== null) named.push(system);
  return named.length === 0 ? null : named;
}

function systemAuthorities(env: Io['env']): string | null {
  for (const file of [env['SSL_CERT_FILE'] ?? '', ...SYSTEM_FILES]) {
    try {
      if (file !== '') return readFileSync(file, 'utf8');
    } catch {
      // The next place may have it.
    }
  }
  return null;
}

/** Every file of a directory that holds certificates; anything else may lie beside them. */
function readDirectory(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    throw fileError(directory, error);
  }
  const texts = names
    .map((name) => textInside(path.join(directory, name)))
    .filter((text) => isPem(text, 'CERTIFICATE'));
  if (texts.length === 0) throw tlsFileError(directory, 'It holds no certificate in PEM form.');
  return texts;
}

/** What a file of a directory says; nothing for a link that leads nowhere, a key that may not be read, a pipe. */
function textInside(file: string): string {
  try {
    return statSync(file).isFile() ? readText(file) : '';
  } catch {
    return '';
  }
}

function readPem(file: string, kind: 'CERTIFICATE' | 'PRIVATE KEY'): string {
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    throw fileError(file, error);
  }
  if (!isPem(text, kind)) throw tlsFileError(file, `It holds no ${kind.toLowerCase()} in PEM form.`);
  return text;
}

function firstLine(file: string): string {
  try {
    return readText(file).split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    throw fileError(file, error);
  }
}

/** A file or, within two seconds, what a pipe says (`--cafile <(command)` of a shell). */
function readText(file: string): string {
  return readSmallFile(file, LARGEST_FILE, PIPE_PATIENCE_MS).bytes.toString();
}

function isPem(text: string, kind: 'CERTIFICATE' | 'PRIVATE KEY'): boolean {
  return new RegExp(`-----BEGIN (?:[A-Z0-9]+ )*${kind}-----`).test(text);
}

function fileError(file: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  return tlsFileError(file, code === 'ENOENT' ? code : `${systemErrorText(error)}.`);
}

/** The file, made where there is none: whoever names one wants to know that it can't be written before it is too late. */
function writable(file: string): string {
  try {
    closeSync(openSync(file, 'a', 0o600));
    return file;
  } catch (error) {
    throw fileError(file, error);
  }
}

/** A key log that can't be written must not cost the connection. */
function appendSecret(file: string, line: Buffer): void {
  try {
    appendFileSync(file, line, { mode: 0o600 });
  } catch {
    // As the other programs that know SSLKEYLOGFILE do, go on without it.
  }
}
