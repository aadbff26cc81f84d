// TLS options of a listener.
import { bool, file, folder, oneOf, text } from '../kinds.ts';
import { rows } from './row.ts';

const ENGINE = 'OpenSSL engines are out of reach of Node.js; use a key file.';
const PSK = 'TLS with pre-shared keys is not served yet; use certificates.';

export const TLS = rows({
  certfile: {
    kind: file,
    default: null,
    reload: 'live',
    description:
      "PEM file with the server's certificate, followed by those between it and the CA. Together with keyfile it turns TLS on. Read again on reload.",
  },
  keyfile: {
    kind: file,
    default: null,
    reload: 'live',
    description: "PEM file with the key of the server's certificate. Read again on reload.",
  },
  cafile: {
    kind: file,
    default: null,
    reload: 'live',
    description: 'PEM file with the CA certificates that client certificates must come from. Read again on reload.',
  },
  capath: {
    kind: folder,
    default: null,
    reload: 'live',
    description: 'Folder of PEM files with such CA certificates. Read again on reload.',
  },
  require_certificate: {
    kind: bool,
    default: false,
    reload: 'live',
    reopens: true,
    description: 'true: a client must show a certificate of a CA in cafile or capath.',
  },
  use_identity_as_username: {
    kind: bool,
    default: false,
    reload: 'live',
    description:
      "true: the common name in the client's certificate is its user name, and no password is asked for. Needs require_certificate.",
  },
  use_subject_as_username: {
    kind: bool,
    default: false,
    reload: 'live',
    description:
      "true: the whole subject of the client's certificate is its user name, and no password is asked for. Needs require_certificate.",
  },
  crlfile: {
    kind: file,
    default: null,
    reload: 'live',
    description: 'PEM file with the client certificates that their CA has revoked. Read again on reload.',
  },
  disable_client_cert_date_checks: {
    kind: bool,
    default: false,
    reload: 'live',
    refusal: 'Node.js cannot overlook the dates alone; issue new client certificates.',
    description: 'Accepts client certificates outside the time they are valid for.',
  },
  ciphers: {
    kind: text({ syntax: 'list' }),
    default: null,
    reload: 'live',
    description: "Ciphers for TLS 1.2, in OpenSSL's form. Default: those of Node.js.",
  },
  'ciphers_tls1.3': {
    kind: text({ syntax: 'list' }),
    default: null,
    reload: 'live',
    description: "Ciphers for TLS 1.3, in OpenSSL's form. Default: those of Node.js.",
  },
  tls_version: {
    kind: oneOf(['tlsv1.2', 'tlsv1.3']),
    default: 'tlsv1.2',
    reload: 'live',
    description: 'Oldest version of TLS that clients may use.',
  },
  dhparamfile: {
    kind: file,
    default: null,
    reload: 'live',
    ignored: true,
    description: 'Read and ignored: parameters for the key exchange are built in.',
  },
  psk_hint: {
    kind: text({ syntax: 'hint' }),
    default: null,
    reload: 'restart',
    refusal: PSK,
    description: 'Turns TLS with pre-shared keys on; clients are shown the hint.',
  },
  tls_engine: {
    kind: text({ syntax: 'engine' }),
    default: null,
    reload: 'restart',
    refusal: ENGINE,
    description: 'OpenSSL engine to use.',
  },
  tls_keyform: {
    kind: oneOf(['pem', 'engine']),
    default: 'pem',
    reload: 'restart',
    refusal: ENGINE,
    description: 'Form of the key: a PEM file, or one that an OpenSSL engine holds.',
  },
  tls_engine_kpass_sha1: {
    kind: text({ syntax: 'hash' }),
    default: null,
    reload: 'restart',
    refusal: ENGINE,
    description: "SHA-1 hash of the password of an engine's key.",
  },
});
