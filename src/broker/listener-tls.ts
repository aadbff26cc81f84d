// The certificate files of a listener, read into what the TLS transport wants, and tried out: what cannot work is found
// when the broker starts or reloads, not when the first client connects. Every failure names option, file and line.
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext, DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls';
import type { ListenerConfig } from '../config/config.ts';
import { type ConfigError, errorAt } from '../config/errors.ts';
import type { TlsListenOptions } from '../net/specs.ts';
import { explainTlsError } from '../net/tls-errors.ts';

/** The options that name files. */
type FileOption = 'certfile' | 'keyfile' | 'cafile' | 'capath' | 'crlfile';

/**
 * TLS options of a listener; null without TLS. Reads the files.
 * @throws ConfigError naming the file that can't be read or does not work
 */
export function tlsOptionsOf(
  listener: ListenerConfig,
  keylog: ((line: Buffer) => void) | null,
): TlsListenOptions | null {
  const { certfile, keyfile, cafile, capath, crlfile } = listener;
  if (certfile === null || keyfile === null) return null;
  const cert = read(listener, 'certfile', certfile);
  tryOut(listener, 'certfile', certfile, { cert });
  const key = read(listener, 'keyfile', keyfile);
  tryOut(listener, 'keyfile', keyfile, { key });
  tryOut(listener, 'keyfile', keyfile, { cert, key });
  const ca = [
    ...(cafile === null ? [] : readAuthorities(listener, cafile)),
    ...(capath === null ? [] : readFolder(listener, capath)),
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
    return readFileSync(file);
  } catch (error) {
    throw unusable(listener, option, file, error);
  }
}

/** OpenSSL passes over what is no certificate, and would then trust nobody. */
function readAuthorities(listener: ListenerConfig, file: string): string[] {
  const blocks = pemBlocks(read(listener, 'cafile', file), /(?:X509 |TRUSTED )?CERTIFICATE/);
  if (blocks.length === 0) throw unusable(listener, 'cafile', file, new Error('it holds no certificate in PEM form'));
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    throw unusable(listener, 'cafile', file, error);
  }
  return blocks;
}

function readFolder(listener: ListenerConfig, folder: string): Buffer[] {
  try {
    const names = readdirSync(folder).filter((name) => /\.(pem|crt|cer|\d+)$/.test(name));
    return names.sort().map((name) => readFileSync(path.join(folder, name)));
  } catch (error) {
    throw unusable(listener, 'capath', folder, error);
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
  const fault = error as NodeJS.ErrnoException;
  if (fault.code === 'ENOENT') return 'it does not exist';
  if (fault.code === 'EACCES') return 'permission denied';
  return (explainTlsError(fault) ?? fault.message).replace(/\.$/, '');
}
