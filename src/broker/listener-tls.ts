// The certificate files of a listener, read into what the TLS transport wants. Every failure names option, file and line.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ListenerConfig } from '../config/config.ts';
import { type ConfigError, errorAt } from '../config/errors.ts';
import type { TlsListenOptions } from '../net/specs.ts';

/**
 * TLS options of a listener; null without TLS. Reads the files.
 * @throws ConfigError naming the file that can't be read
 */
export function tlsOptionsOf(
  listener: ListenerConfig,
  keylog: ((line: Buffer) => void) | null,
): TlsListenOptions | null {
  const { certfile, keyfile, cafile, capath, crlfile } = listener;
  if (certfile === null || keyfile === null) return null;
  const ca = [
    ...(cafile === null ? [] : [read(listener, 'cafile', cafile)]),
    ...(capath === null ? [] : readFolder(listener, capath)),
  ];
  const ciphers = [listener.ciphersTls13, listener.ciphers].filter((list) => list !== null).join(':');
  const asksForCertificate =
    listener.requireCertificate || listener.useIdentityAsUsername || listener.useSubjectAsUsername;
  return {
    cert: read(listener, 'certfile', certfile),
    key: read(listener, 'keyfile', keyfile),
    requestCertificate: asksForCertificate,
    requireCertificate: listener.requireCertificate,
    minVersion: listener.tlsVersion === 'tlsv1.3' ? 'TLSv1.3' : 'TLSv1.2',
    ...(ca.length > 0 ? { ca } : {}),
    ...(crlfile === null ? {} : { crl: read(listener, 'crlfile', crlfile) }),
    ...(ciphers === '' ? {} : { ciphers }),
    ...(keylog === null ? {} : { keylog }),
  };
}

function read(listener: ListenerConfig, option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(listener, option, file, error);
  }
}

function readFolder(listener: ListenerConfig, folder: string): Buffer[] {
  try {
    const names = readdirSync(folder).filter((name) => /\.(pem|crt|cer|\d+)$/.test(name));
    return names.sort().map((name) => readFileSync(path.join(folder, name)));
  } catch (error) {
    throw unreadable(listener, 'capath', folder, error);
  }
}

function unreadable(listener: ListenerConfig, option: string, file: string, error: unknown): ConfigError {
  const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (error as Error).message;
  return errorAt(listener.places.get(option) ?? listener.place, `Error: Unable to load ${option} "${file}": ${why}.`);
}
