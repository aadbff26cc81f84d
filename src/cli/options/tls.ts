// Options of the clients about TLS.

import { choice, FLAG, oneWord, TEXT } from '../kinds.ts';
import { maskAll } from '../masks.ts';
import { UsageError } from '../messages.ts';
import type { OptionRow } from './row.ts';

const clients = ['pub', 'sub', 'rr'] as const;
const all = [...clients, 'bench'] as const;

const TLS_VERSIONS = { 'tlsv1.2': 'TLSv1.2', 'tlsv1.3': 'TLSv1.3' } as const;

const KEY_FORM = choice({ pem: 'pem' }, (word) =>
  word === 'engine'
    ? "'--keyform engine' is known but not supported. Give the private key as a PEM file with --key."
    : "Problem setting key form, it must be one of 'pem' or 'engine'.",
);

const ALPN = oneWord((word) => {
  // One byte tells the length of a name (RFC 7301 section 3.1).
  if (Buffer.byteLength(word) <= 255) return word;
  throw new UsageError('The protocol name of --tls-alpn has at most 255 bytes.');
});

const UNPAIRED = 'Both certfile and keyfile must be provided if one of them is set.';

export const TLS_OPTIONS = [
  {
    key: 'cafile',
    names: ['--cafile'],
    kind: TEXT,
    tools: all,
    group: 'TLS',
    value: 'FILE',
    missing: '--cafile argument given but no file specified',
    help: 'PEM file with the certificates of the authorities to trust. Turns TLS on.',
  },
  {
    key: 'capath',
    names: ['--capath'],
    kind: TEXT,
    tools: all,
    group: 'TLS',
    value: 'DIRECTORY',
    missing: '--capath argument given but no directory specified',
    help: 'Directory with PEM files of the authorities to trust. Turns TLS on.',
  },
  {
    key: 'tlsUseOsCerts',
    names: ['--tls-use-os-certs'],
    kind: FLAG,
    tools: all,
    group: 'TLS',
    help: 'Trust the authorities that the system trusts. Turns TLS on.',
  },
  {
    key: 'cert',
    names: ['--cert'],
    kind: TEXT,
    tools: all,
    group: 'TLS',
    value: 'FILE',
    missing: '--cert argument given but no file specified',
    needs: { keys: ['key'], message: UNPAIRED },
    help: 'PEM file with the certificate of this client. Needs --key, and turns TLS on.',
  },
  {
    key: 'key',
    names: ['--key'],
    kind: TEXT,
    tools: all,
    group: 'TLS',
    value: 'FILE',
    missing: '--key argument given but no file specified',
    needs: { keys: ['cert'], message: UNPAIRED },
    help: 'PEM file with the private key of this client. Needs --cert.',
  },
  {
    key: 'keyPassFile',
    names: ['--key-pass-file'],
    kind: TEXT,
    tools: all,
    group: 'TLS',
    value: 'FILE',
    missing: '--key-pass-file argument given but no file specified',
    help: 'File with the passphrase of an encrypted --key in its first line. Without it, mqtt-pub, mqtt-sub and mqtt-rr ask for it.',
  },
  {
    key: 'insecure',
    names: ['--insecure'],
    kind: FLAG,
    tools: all,
    group: 'TLS',
    help: 'Accept any certificate and any host name. Only for tests: anybody may pose as the broker. Does not turn TLS on by itself.',
  },
  {
    key: 'tlsVersion',
    names: ['--tls-version'],
    kind: choice(
      TLS_VERSIONS,
      (word) =>
        `Problem setting TLS options, check the options are valid.\nThere is no TLS version '${word}' here: use tlsv1.2 or tlsv1.3.`,
    ),
    tools: all,
    group: 'TLS',
    value: 'VERSION',
    missing: '--tls-version argument given but no version specified',
    help: 'Oldest TLS version to accept: tlsv1.2 or tlsv1.3. Default: tlsv1.2.',
  },
  {
    key: 'ciphers',
    names: ['--ciphers'],
    kind: TEXT,
    tools: all,
    group: 'TLS',
    value: 'LIST',
    missing: '--ciphers argument given but no ciphers specified',
    help: 'Ciphers to offer, as an OpenSSL list.',
  },
  {
    key: 'tlsAlpn',
    names: ['--tls-alpn'],
    kind: ALPN,
    tools: all,
    group: 'TLS',
    value: 'PROTOCOL',
    missing: '--tls-alpn argument given but no protocol specified',
    help: 'Protocol name to offer in the TLS handshake (ALPN).',
  },
  {
    key: 'tlsKeylog',
    names: ['--tls-keylog'],
    kind: TEXT,
    tools: all,
    group: 'TLS',
    value: 'FILE',
    missing: '--tls-keylog argument given but no file specified',
    help: 'Append the secrets of the TLS session to a file, for Wireshark. The environment variable SSLKEYLOGFILE does the same.',
  },
  {
    key: 'noTls',
    names: ['--no-tls'],
    kind: FLAG,
    tools: all,
    group: 'TLS',
    help: 'Connect without TLS, whatever other options say.',
  },
  {
    key: 'psk',
    names: ['--psk'],
    kind: TEXT,
    mask: maskAll,
    tools: all,
    group: 'TLS',
    value: 'KEY',
    missing: '--psk argument given but no key specified',
    conflicts: { keys: ['cafile', 'capath'], message: 'Only one of --psk or --cafile/--capath may be used at once.' },
    needs: { keys: ['pskIdentity'], message: '--psk-identity required if --psk used.' },
    help: 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity, and turns TLS on.',
  },
  {
    key: 'pskIdentity',
    names: ['--psk-identity'],
    kind: TEXT,
    tools: all,
    group: 'TLS',
    value: 'NAME',
    missing: '--psk-identity argument given but no identity specified',
    help: 'Identity that belongs to the pre-shared key of --psk.',
  },
  {
    key: 'tlsEngine',
    names: ['--tls-engine'],
    kind: TEXT,
    tools: clients,
    group: 'TLS',
    value: 'ENGINE',
    missing: '--tls-engine argument given but no engine_id specified',
    refused: 'Give the private key as a PEM file with --key.',
    help: 'OpenSSL engine.',
  },
  {
    key: 'tlsEngineKpassSha1',
    names: ['--tls-engine-kpass-sha1'],
    kind: TEXT,
    tools: clients,
    group: 'TLS',
    value: 'HASH',
    missing: '--tls-engine-kpass-sha1 argument given but no kpass sha1 specified',
    refused: 'Give the private key as a PEM file with --key.',
    help: 'Hash of the password of a key in an OpenSSL engine.',
  },
  {
    key: 'keyform',
    names: ['--keyform'],
    kind: KEY_FORM,
    tools: all,
    group: 'TLS',
    value: 'FORM',
    missing: '--keyform argument given but no keyform specified',
    needs: { keys: ['key'], message: 'If keyform is set, keyfile must be also specified.' },
    help: 'Form of --key: pem, which it always has. Accepted for scripts that give it.',
  },
] as const satisfies readonly OptionRow[];
