// The pre-shared key of --psk, with Mosquitto's sentence about one that can't be used. No sentence shows the key.
import type { TlsClientOptions } from '../client/options.ts';
import { UsageError } from './messages.ts';

/** Most bytes of a key and of an identity that OpenSSL takes in all its versions. */
const LONGEST_KEY = 256;
const LONGEST_IDENTITY = 128;

/** The key and its identity; throws UsageError. An odd number of digits gets a zero in front, as with Mosquitto. */
export function preSharedKey(digits: string, identity: string | null): NonNullable<TlsClientOptions['psk']> {
  if (!/^[0-9A-Fa-f]+$/.test(digits)) throw unusable('The key has to be hexadecimal digits, without 0x in front.');
  const key = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  if (key.length > LONGEST_KEY) throw unusable(`The key has at most ${LONGEST_KEY} bytes.`);
  const length = Buffer.byteLength(identity ?? '');
  if (identity === null || length === 0 || length > LONGEST_IDENTITY) {
    throw unusable(`The identity has 1 to ${LONGEST_IDENTITY} bytes.`);
  }
  return { identity, key };
}

const unusable = (why: string): UsageError => new UsageError(`Problem setting TLS-PSK options.\n${why}`, 'nothing');
