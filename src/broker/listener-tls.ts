// The certificate files of a listener, read into what the TLS transport wants, and tried out: what cannot work is found
// when the broker starts or reloads, not when the first client connects. Every failure names option, file and line.
import { X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext, DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls';
import type { ListenerConfig } from '../config/config.ts';
import { type ConfigError, errorAt, placeText } from '../config/errors.ts';
import type { TlsListenOptions } from '../net/specs.ts';
import { explainTlsError } from '../net/tls-errors.ts';
import { readSmallFile } from '../util/small-file.ts';
import { systemErrorText } from '../util/system-error.ts';
import { dateFault } from './certificate-dates.ts';

/** The options that name files. */
type FileOption = 'certfile' | 'keyfile' | 'cafile' | 'capath' | 'crlfile';

/** The label of certificates in PEM files. */
const CERTIFICATE = /(?:X509 |TRUSTED )?CERTIFICATE/;

/** What the certificates that an option names are for, to say what happens when they are not valid. */
const CONSEQUENCE = {
  certfile: 'clients will refuse it',
  cafile: 'client certificates below it will be refused',
  capath: 'client certificates below it will be refused',
} as const;

/** Largest file that is read, in bytes; revocation lists can be long. */
const LARGEST_FILE = 64 * 1024 * 1024;

/**
 * TLS options of a listener; null without TLS. Reads the files; `warn` is told of certificates that are not valid now.
 * @throws ConfigError naming the file that can't be read or does not work
 */
export function tlsOptionsOf(
  listener: ListenerConfig,
  keylog: ((line: Buffer) => void) | null,
  handshakeTimeoutMs: number,
  warn: (text: string) => void,
): TlsListenOptions | null {
  const { certfile, keyfile, cafile, capath, crlfile } = listener;
  if (certfile === null || keyfile === null) return null;
  const cert = read(listener, 'certfile', certfile);
  tryOut(listener, 'certfile', certfile, { cert });
  const key = read(listener, 'keyfile', keyfile);
  tryOut(listener, 'keyfile', keyfile, { key });
  tryOut(listener, 'keyfile', keyfile, { cert, key });
  judgeDates(listener, 'certfile', certfile, pemBlocks(cert, CERTIFICATE), warn);
  const ca = [
    ...(cafile === null ? [] : readAuthorities(listener, cafile, warn)),
    ...(capath === null ? [] : readFolder(listener, capath, warn)),
  ];
  const crl = crlfile === null ? [] : readRevocations(listener, crlfile);
  const ciphers = ciphersOf(listener);
  const asksForCertificate =
    listener.requireCertificate || listener.useIdentityAsUsername || listener.useSubjectAsUsername;
  return {
    cert,
    key,
    requestCertificate: asksForCertificate,
    requireCertificate: listener.requireCertificate,
    handshakeTimeoutMs,
    minVersion: listener.tlsVersion === 'tlsv1.3' ? 'TLSv1.3' : 'TLSv1.2',
    ...(ca.length > 0 ? { ca } : {}),
    ...(crl.length > 0 ? { crl } : {}),
    ...(ciphers === null ? {} : { ciphers }),
    ...(keylog === null ? {} : { keylog }),
  };
}

/** One list for both kinds of TLS, as Node wants it: what is not configured keeps its default. Null where nothing is. */
function ciphersOf(listener: ListenerConfig): string | null {
  if (listener.ciphers === null && listener.ciphersTls13 === null) return null;
  const defaults = DEFAULT_CIPHERS.split(':');
  const newer = listener.ciphersTls13 ?? defaults.filter((name) => name.startsWith('TLS_')).join(':');
  const older = listener.ciphers ?? defaults.filter((name) => !name.startsWith('TLS_')).join(':');
  for (const [option, list] of [['ciphersTls13', newer] as const, ['ciphers', older] as const]) {
    try {
      createSecureContext({ ciphers: list });
    } catch (error) {
      const name = option === 'ciphers' ? 'ciphers' : 'ciphers_tls1.3';
      const sentence = `Error: Unable to set ${name} "${list}": ${causeOf(error)}.`;
      throw errorAt(listener.places.get(option) ?? listener.place, sentence);
    }
  }
  return `${newer}:${older}`;
}

function read(listener: ListenerConfig, option: FileOption, file: string): Buffer {
  try {
    return readSmallFile(file, LARGEST_FILE).bytes;
  } catch (error) {
    throw unusable(listener, option, file, error);
  }
}

/** OpenSSL passes over what is no certificate, and would then trust nobody. */
function readAuthorities(listener: ListenerConfig, file: string, warn: (text: string) => void): string[] {
  const blocks = pemBlocks(read(listener, 'cafile', file), CERTIFICATE);
  if (blocks.length === 0) throw unusable(listener, 'cafile', file, new Error('it holds no certificate in PEM form'));
  judgeDates(listener, 'cafile', file, blocks, warn);
  return blocks;
}

/** The certificates of a folder; its other files, revocation lists for example, are none of ours. */
function readFolder(listener: ListenerConfig, folder: string, warn: (text: string) => void): string[] {
  const blocks: string[] = [];
  for (const name of namesIn(listener, folder)) {
    const file = path.join(folder, name);
    const own = pemBlocks(read(listener, 'capath', file), CERTIFICATE);
    judgeDates(listener, 'capath', file, own, warn);
    blocks.push(...own);
  }
  if (blocks.length > 0) return blocks;
  const why = 'it holds no certificate in PEM form in a file .pem, .crt, .cer or .0';
  throw unusable(listener, 'capath', folder, new Error(why));
}

function namesIn(listener: ListenerConfig, folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /\.(pem|crt|cer|\d+)$/.test(name));
    return names.sort();
  } catch (error) {
    throw unusable(listener, 'capath', folder, error);
  }
}

/** Reads certificates for their dates; throws ConfigError for one that is damaged. */
function judgeDates(
  listener: ListenerConfig,
  option: keyof typeof CONSEQUENCE,
  file: string,
  blocks: readonly string[],
  warn: (text: string) => void,
): void {
  for (const block of blocks) {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(block);
    } catch (error) {
      throw unusable(listener, option, file, error);
    }
    const fault = dateFault(certificate, Date.now());
    if (fault === null) continue;
    const place = listener.places.get(option);
    const where = place === undefined ? '' : ` (${placeText(place)})`;
    warn(`Warning: A certificate in ${option} "${file}"${where} ${fault}: ${CONSEQUENCE[option]}.`);
  }
}

/** One by one: OpenSSL would take the first list of a file and overlook the others. */
function readRevocations(listener: ListenerConfig, file: string): string[] {
  const blocks = pemBlocks(read(listener, 'crlfile', file), /X509 CRL/);
  if (blocks.length === 0)
    throw unusable(listener, 'crlfile', file, new Error('it holds no revocation list in PEM form'));
  for (const crl of blocks) tryOut(listener, 'crlfile', file, { crl });
  return blocks;
}

function pemBlocks(bytes: Buffer, label: RegExp): string[] {
  return (
    bytes.toString('latin1').match(new RegExp(`-----BEGIN (${label.source})-----[^-]+-----END \\1-----`, 'g')) ?? []
  );
}

function tryOut(listener: ListenerConfig, option: FileOption, file: string, options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (error) {
    throw unusable(listener, option, file, error);
  }
}

function unusable(listener: ListenerConfig, option: FileOption, file: string, error: unknown): ConfigError {
  const sentence = `Error: Unable to load ${option} "${file}": ${causeOf(error)}.`;
  return errorAt(listener.places.get(option) ?? listener.place, sentence);
}

function causeOf(error: unknown): string {
  return (explainTlsError(error as Error) ?? systemErrorText(error)).replace(/\.$/, '');
}
