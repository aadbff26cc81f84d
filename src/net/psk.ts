// TLS with a pre-shared key (RFC 4279; TLS 1.3: RFC 8446 section 2.2) instead of certificates, on the side that dials.
import type { ConnectionOptions } from 'node:tls';
import type { PskOptions } from './specs.ts';

/** Every strong suite with a pre-shared key; those of TLS 1.3 go with any kind of key. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  'kECDHEPSK+HIGH:kDHEPSK+HIGH:kPSK+HIGH:!eNULL',
].join(':');

/** What the other side answers a key or an identity with that it does not take. */
const REFUSALS = /ALERT_(ILLEGAL_PARAMETER|BAD_RECORD_MAC|DECRYPT_ERROR|DECRYPTION_FAILED|HANDSHAKE_FAILURE)$/;

/**
 * The options of tls.connect for a key. A server that shows a certificate has not proved that it knows the key: it is
 * refused, whatever the certificate is.
 */
export function pskOptions({ identity, key }: PskOptions): ConnectionOptions {
  return {
    pskCallback: () => ({ identity, psk: key }),
    ciphers: CIPHERS,
    rejectUnauthorized: true,
    // Where the key was used, there is nothing in what is called the certificate.
    checkServerIdentity: (_, certificate) =>
      Object.keys(certificate).length === 0 ? undefined : new Error('a certificate instead of the key'),
  };
}

/** The error of a failed handshake with a key, with a code that explainTlsError() knows. @param shown whether a certificate came */
export function pskError(error: Error, shown: boolean): Error {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (shown)
    return Object.assign(new Error('the key was not used', { cause: error }), { code: 'ERR_TLS_PSK_NOT_USED' });
  if (!REFUSALS.test(code)) return error;
  return Object.assign(new Error('the key was refused', { cause: error }), { code: 'ERR_TLS_PSK_REFUSED' });
}
