// What went wrong in a TLS handshake, for people: one sentence that names the cause and what to do about it.
import { type CertificateFacts, certificatesOf, faultyCertificate } from './certificate-notes.ts';

const inHandshake = new WeakSet<Error>();

/** Remembers that an error came in the middle of a handshake: a reset means something else there than elsewhere. */
export function noteHandshake(error: Error): void {
  inHandshake.add(error);
}

/** Who reads the explanation: names of options are written as a command's or as those of the broker's file. */
type TlsReader = 'command' | 'broker';

type Explain = (facts: CertificateFacts | null, error: Error, reader: TlsReader) => string;

const cafileOf = (reader: TlsReader): string => (reader === 'command' ? '--cafile' : 'cafile');

const certificateOf = (facts: CertificateFacts | null): string => (facts === null ? '' : ` (${facts.subject})`);
/** Who signed the last of the certificates that were shown: that authority is the one that is missing here. */
const missingIssuer = (error: Error): string => {
  const last = certificatesOf(error).at(-1);
  return last === undefined ? '' : ` Its issuer is ${last.issuer}.`;
};

/** A moment for people: '2026-11-21 16:20:44 UTC'. */
export const momentText = (moment: Date): string =>
  Number.isNaN(moment.getTime()) ? 'an unknown date' : `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** Whose certificate has the fault: that of the other side, or one above it. */
const ownerOf = (facts: CertificateFacts, error: Error): string =>
  certificatesOf(error)[0] === facts ? 'of the other side' : 'of an authority of the other side';

const unknownAuthority: Explain = (facts, error, reader) =>
  `The certificate of the other side${certificateOf(facts)} is signed by an unknown authority.${missingIssuer(error)} ` +
  `Trust that authority with ${cafileOf(reader)} if it is the right one.`;
const selfSigned: Explain = (facts, _, reader) =>
  `The certificate of the other side${certificateOf(facts)} is self-signed and not trusted. ` +
  `Trust it with ${cafileOf(reader)} if it is the right one.`;
const selfSignedRoot: Explain = (facts, error, reader) =>
  `The certificate of the other side${certificateOf(facts)} leads to a self-signed authority that is not trusted.` +
  `${missingIssuer(error)} Trust that authority with ${cafileOf(reader)} if it is the right one.`;
const expired: Explain = (facts, error) =>
  facts === null || facts.validTo.getTime() > Date.now()
    ? `The certificate of the other side${certificateOf(facts)} or of its authority has expired.`
    : `The certificate ${ownerOf(facts, error)}${certificateOf(facts)} has expired. ` +
      `Its dates are ${momentText(facts.validFrom)} to ${momentText(facts.validTo)}.`;
const notYetValid: Explain = (facts, error) =>
  facts === null || facts.validFrom.getTime() < Date.now()
    ? `The certificate of the other side${certificateOf(facts)} or of its authority is not valid yet. Check the clocks.`
    : `The certificate ${ownerOf(facts, error)}${certificateOf(facts)} is not valid before ` +
      `${momentText(facts.validFrom)}. Check the clocks.`;
const wrongHost: Explain = (facts, error) => {
  const { host, reason = error.message } = error as { host?: string; reason?: string; message: string };
  if (facts === null || host === undefined) {
    return `The certificate of the other side${certificateOf(facts)} is for another host name: ${reason.replace(/\.*$/, '')}.`;
  }
  const names = facts.names.length === 0 ? 'It names no host.' : `It is for ${facts.names.join(', ')}.`;
  return `The certificate of the other side${certificateOf(facts)} is for another host name than ${host}. ${names}`;
};
/** A verdict of OpenSSL that Node has no code for: the words are OpenSSL's. */
const otherVerdict: Explain = (facts, error) =>
  `The certificate of the other side${certificateOf(facts)} does not verify: ${error.message.replace(/\.*$/, '')}.`;
const plainPeer: Explain = () =>
  'The other side does not speak TLS: this looks like plain text on one side and TLS on the other. Check the port and the TLS options.';
const sentence =
  (text: string): Explain =>
  () =>
    text;
const noCommonVersion = sentence('The two sides have no TLS version in common.');
const peerRefused = (what: string): Explain => sentence(`The other side refused our certificate: ${what}.`);
const certificateWanted = sentence(
  'The other side requires a certificate, and none was given. Give one with --cert and --key.',
);
const noCertificateGiven = sentence('The other side gave no certificate, and one is required.');

/** THE table: error codes of Node and OpenSSL → sentences. */
const EXPLANATIONS: Readonly<Record<string, Explain>> = {
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  CERT_UNTRUSTED: unknownAuthority,
  CERT_SIGNATURE_FAILURE: sentence('The signature of the certificate of the other side is wrong.'),
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: selfSignedRoot,
  CERT_HAS_EXPIRED: expired,
  CERT_NOT_YET_VALID: notYetValid,
  CERT_REVOKED: (facts) => `The certificate of the other side${certificateOf(facts)} is revoked.`,
  CRL_HAS_EXPIRED: sentence('The certificate revocation list has expired.'),
  UNABLE_TO_GET_CRL: sentence('There is no revocation list for the authority of the certificate of the other side.'),
  INVALID_PURPOSE: (facts) => `The certificate of the other side${certificateOf(facts)} is not meant for this purpose.`,
  INVALID_CA: (facts) =>
    `An authority of the certificate of the other side${certificateOf(facts)} may not sign certificates.`,
  ERR_TLS_CERT_ALTNAME_INVALID: wrongHost,
  HOSTNAME_MISMATCH: wrongHost,
  UNSPECIFIED: otherVerdict,
  ERR_SSL_WRONG_VERSION_NUMBER: plainPeer,
  ERR_SSL_HTTP_REQUEST: sentence('The other side sent a plain HTTP request to a TLS port.'),
  ERR_SSL_HTTPS_PROXY_REQUEST: sentence('The other side sent a plain HTTP request to a TLS port.'),
  ERR_SSL_PACKET_LENGTH_TOO_LONG: plainPeer,
  ERR_SSL_BAD_RECORD_TYPE: plainPeer,
  ERR_SSL_UNKNOWN_PROTOCOL: plainPeer,
  ERR_SSL_UNEXPECTED_MESSAGE: plainPeer,
  ERR_SSL_UNSUPPORTED_PROTOCOL: noCommonVersion,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: noCommonVersion,
  ERR_SSL_NO_SHARED_CIPHER: sentence('The two sides have no cipher in common.'),
  ERR_SSL_NO_CIPHER_MATCH: sentence('The list of ciphers names none that is known.'),
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: sentence('The TLS versions given leave none to use.'),
  ERR_SSL_NO_APPLICATION_PROTOCOL: sentence('The two sides have no application protocol (ALPN) in common.'),
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: sentence(
    'The other side knows none of our application protocols (ALPN).',
  ),
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: sentence(
    'The other side broke the TLS handshake off: no cipher in common, or it requires a certificate and none was given.',
  ),
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: peerRefused('it does not know the authority that signed it'),
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: peerRefused('it found a fault in it'),
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: peerRefused('it is of a kind or for a purpose that it does not take'),
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: peerRefused('it has expired'),
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: peerRefused('it is revoked'),
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: peerRefused('it could not be verified'),
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: peerRefused('it is valid but not let in'),
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: peerRefused('its signature is wrong'),
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: certificateWanted,
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: sentence('The other side does not know the host name that was asked for.'),
  ERR_TLS_PSK_REFUSED: sentence('The other side refused the identity or the pre-shared key, or takes none.'),
  ERR_TLS_PSK_NOT_USED: sentence('The other side showed a certificate and did not use the pre-shared key.'),
  ERR_SSL_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY: sentence(
    'The other side does not know the identity of the pre-shared key.',
  ),
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: noCertificateGiven,
  ERR_TLS_HANDSHAKE_TIMEOUT: sentence('The TLS handshake took too long.'),
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: sentence('The private key does not belong to the certificate.'),
  ERR_OSSL_PEM_NO_START_LINE: sentence('A certificate or key is not in PEM form.'),
  ERR_OSSL_PEM_BAD_BASE64_DECODE: sentence('A certificate or key in PEM form is damaged.'),
  ERR_OSSL_PEM_BAD_END_LINE: sentence('A certificate or key in PEM form is damaged.'),
  ERR_OSSL_UNSUPPORTED: sentence(
    'A certificate or key cannot be read: it is damaged, or of a kind that is not supported.',
  ),
  ERR_OSSL_BAD_DECRYPT: sentence('The passphrase of the private key is wrong.'),
  ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED: sentence('The private key is encrypted, and no passphrase was given.'),
  ERR_OSSL_BAD_PASSWORD_READ: sentence('The private key is encrypted, and no passphrase was given.'),
  ERR_SSL_EE_KEY_TOO_SMALL: sentence('The key of the certificate is too short to be secure.'),
  ERR_SSL_CA_MD_TOO_WEAK: sentence('The certificate is signed with a hash that is too weak.'),
  ERR_SSL_CA_KEY_TOO_SMALL: sentence("The key of the certificate's authority is too short to be secure."),
};

/** OpenSSL has several prefixes for one and the same alert: SSLV3, TLSV1 and SSL/TLS are interchangeable. */
function alertKey(code: string): string | null {
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13|SSL\/TLS)_(ALERT_.+)$/.exec(code)?.[1];
  if (alert === undefined) return null;
  return Object.keys(EXPLANATIONS).find((key) => key.endsWith(`_${alert}`)) ?? null;
}

/**
 * One or two sentences for people about a TLS error of a dial, of a listener or of loading certificates; null for an error
 * that has nothing to do with TLS.
 */
export function explainTlsError(error: Error, reader: TlsReader = 'command'): string | null {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) return null;
  const facts = faultyCertificate(error);
  const explain = EXPLANATIONS[code] ?? EXPLANATIONS[alertKey(code) ?? ''];
  if (explain !== undefined) return explain(facts, error, reader);
  if (inHandshake.has(error) && (code === 'ECONNRESET' || code === 'EPIPE')) {
    return 'The other side closed the connection during the TLS handshake: it speaks no TLS on this port, or refuses us.';
  }
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_') && !code.startsWith('ERR_OSSL_')) return null;
  const reason = (error as { reason?: string }).reason ?? error.message;
  return `The TLS handshake failed: ${reason}.`;
}
