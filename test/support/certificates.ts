// X.509 certificates and revocation lists made on the spot, so that tests need neither openssl nor files that expire one
// day. Names are given as raw bytes, because a certificate with a broken name is what some tests are about.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const DAY_MS = 86_400_000;
const UTF8_STRING = 0x0c;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** One attribute of a name: type, value and, where it matters, the string type. */
export interface NamePart {
  readonly oid: string;
  readonly value: string | Buffer;
  readonly tag?: number;
}

/** A certificate with its key. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly der: Buffer;
  readonly name: Buffer;
  readonly serial: Buffer;
  readonly privateKey: KeyObject;
}

/** What to make. */
export interface CertificateRequest {
  /** Common name, or the attributes one by one (an inner array is a multi-valued part). */
  readonly subject: string | readonly (NamePart | readonly NamePart[])[];
  /** Who signs; self-signed without. */
  readonly issuer?: Identity;
  readonly isAuthority?: boolean;
  /** DNS names and IPv4 addresses of a server. */
  readonly altNames?: readonly string[];
  /** Days from now; default -1 and 30. */
  readonly from?: number;
  readonly to?: number;
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length = content.length;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const number of [first * 40 + second, ...rest]) {
    const groups = [number & 0x7f];
    for (let left = number >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

function name(subject: CertificateRequest['subject']): Buffer {
  const parts = typeof subject === 'string' ? [{ oid: '2.5.4.3', value: subject }] : subject;
  const encoded = parts.map((part) => {
    const attributes: readonly NamePart[] = Array.isArray(part) ? part : [part as NamePart];
    return der(
      0x31,
      ...attributes.map((attribute) =>
        der(0x30, oid(attribute.oid), der(attribute.tag ?? UTF8_STRING, Buffer.from(attribute.value))),
      ),
    );
  });
  return der(0x30, ...encoded);
}

function time(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(text));
}

function extension(id: string, value: Buffer): Buffer {
  return der(0x30, oid(id), der(0x04, value));
}

function altName(value: string): Buffer {
  const isAddress = /^[\d.]+$/.test(value);
  return isAddress ? der(0x87, Buffer.from(value.split('.').map(Number))) : der(0x82, Buffer.from(value));
}

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')}\n-----END ${label}-----\n`;

/** Makes a certificate over a fresh P-256 key. */
export function makeCertificate(request: CertificateRequest): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const subject = name(request.subject);
  const algorithm = der(0x30, oid(ECDSA_WITH_SHA256));
  const extensions: Buffer[] = [];
  if (request.isAuthority === true) extensions.push(extension('2.5.29.19', der(0x30, der(0x01, Buffer.from([0xff])))));
  if (request.altNames !== undefined) {
    extensions.push(extension('2.5.29.17', der(0x30, ...request.altNames.map(altName))));
  }
  const serial = createHash('sha256').update(spki).digest().subarray(0, 8);
  serial[0] = 0x01;
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    request.issuer?.name ?? subject,
    der(0x30, time(request.from ?? -1), time(request.to ?? 30)),
    subject,
    spki,
    ...(extensions.length === 0 ? [] : [der(0xa3, der(0x30, ...extensions))]),
  );
  const signature = sign('sha256', body, request.issuer?.privateKey ?? privateKey);
  const bytes = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature));
  return {
    cert: pem('CERTIFICATE', bytes),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der: bytes,
    name: subject,
    serial,
    privateKey,
  };
}

/** Makes the list of the certificates that an authority takes back; it is good for 30 days. */
export function makeRevocationList(issuer: Identity, revoked: readonly Identity[]): string {
  const algorithm = der(0x30, oid(ECDSA_WITH_SHA256));
  const entries = revoked.map(({ serial }) => der(0x30, der(0x02, serial), time(-1)));
  const body = der(
    0x30,
    der(0x02, Buffer.from([1])),
    algorithm,
    issuer.name,
    time(-1),
    time(30),
    ...(entries.length === 0 ? [] : [der(0x30, ...entries)]),
  );
  const signature = sign('sha256', body, issuer.privateKey);
  return pem('X509 CRL', der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature)));
}
