// The subject of an X.509 certificate, read from its DER bytes. Names decide who a client is, so they are not taken from a
// text that somebody else put together: what is not a clean string (a NUL, broken UTF-8) gives no name at all.

/** What a certificate says about its holder. */
export interface CertificateName {
  /** The first common name; null where there is none or it is no clean string. */
  readonly commonName: string | null;
  /** The whole subject in RFC 2253 form, as OpenSSL prints it; null where it cannot be read. */
  readonly subject: string | null;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_IDENTIFIER = 0x06;
const VERSION = 0xa0;
const COMMON_NAME = '2.5.4.3';

/** Short names of attribute types; others are written as numbers. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.13': 'description',
  '2.5.4.15': 'businessCategory',
  '2.5.4.17': 'postalCode',
  '2.5.4.41': 'name',
  '2.5.4.42': 'GN',
  '2.5.4.43': 'initials',
  '2.5.4.44': 'generationQualifier',
  '2.5.4.46': 'dnQualifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '1.2.840.113549.1.9.2': 'unstructuredName',
};

/** One tag-length-value of DER. */
interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** Thrown for bytes that are not the DER looked for. */
class NotDer extends Error {}

function elementAt(der: Buffer, at: number, limit: number): Element {
  if (at + 2 > limit) throw new NotDer();
  let length = der[at + 1]!;
  let start = at + 2;
  if (length > 0x7f) {
    const count = length & 0x7f;
    if (count === 0 || count > 4 || start + count > limit) throw new NotDer();
    length = der.readUIntBE(start, count);
    start += count;
  }
  if (start + length > limit) throw new NotDer();
  return { tag: der[at]!, start, end: start + length };
}

function elementsIn(der: Buffer, outer: Element, tag: number): Element[] {
  if (outer.tag !== tag) throw new NotDer();
  const found: Element[] = [];
  for (let at = outer.start; at < outer.end; at = found[found.length - 1]!.end) {
    found.push(elementAt(der, at, outer.end));
  }
  return found;
}

/** Certificate → TBSCertificate → subject: the sixth field behind an optional version (RFC 5280 section 4.1). */
function subjectElement(der: Buffer): Element {
  const certificate = elementsIn(der, elementAt(der, 0, der.length), SEQUENCE);
  const fields = elementsIn(der, certificate[0] ?? { tag: 0, start: 0, end: 0 }, SEQUENCE);
  const subject = fields[fields[0]?.tag === VERSION ? 5 : 4];
  if (subject === undefined) throw new NotDer();
  return subject;
}

function objectIdentifier(der: Buffer, element: Element): string {
  if (element.tag !== OBJECT_IDENTIFIER) throw new NotDer();
  const numbers: number[] = [];
  let value = 0;
  for (let i = element.start; i < element.end; i++) {
    value = value * 128 + (der[i]! & 0x7f);
    if (der[i]! > 0x7f) continue;
    if (numbers.length === 0)
      numbers.push(Math.min(2, Math.floor(value / 40)), value - Math.min(2, Math.floor(value / 40)) * 40);
    else numbers.push(value);
    value = 0;
  }
  return numbers.join('.');
}

function wideText(bytes: Buffer, width: 2 | 4): string | null {
  if (bytes.length % width !== 0) return null;
  let text = '';
  for (let i = 0; i < bytes.length; i += width) {
    const point = bytes.readUIntBE(i, width);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** A string value as text; undefined for a type that is no string, null for a string that is not clean. */
function textOf(tag: number, bytes: Buffer): string | null | undefined {
  let text: string | null;
  switch (tag) {
    case 0x0c: // UTF8String
      try {
        text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        text = null;
      }
      break;
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      text = bytes.every((byte) => byte < 0x80) ? bytes.toString('latin1') : null;
      break;
    case 0x14: // TeletexString, in practice Latin-1
      text = bytes.toString('latin1');
      break;
    case 0x1c: // UniversalString
      text = wideText(bytes, 4);
      break;
    case 0x1e: // BMPString
      text = wideText(bytes, 2);
      break;
    default:
      return undefined;
  }
  return text === null || text.includes('\0') ? null : text;
}

/** RFC 2253 section 2.4, with every byte outside printable ASCII as \XX. */
function escapeValue(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  let escaped = '';
  bytes.forEach((byte, i) => {
    const char = String.fromCharCode(byte);
    const atEdge = (i === 0 && (char === '#' || char === ' ')) || (i === bytes.length - 1 && char === ' ');
    if (byte < 0x20 || byte > 0x7e) escaped += `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    else if (atEdge || ',+"\\<>;'.includes(char)) escaped += `\\${char}`;
    else escaped += char;
  });
  return escaped;
}

/** Reads the subject of a certificate given as DER. */
export function certificateName(der: Buffer): CertificateName {
  try {
    return readName(der);
  } catch (error) {
    if (error instanceof NotDer) return { commonName: null, subject: null };
    throw error;
  }
}

function readName(der: Buffer): CertificateName {
  const parts: string[] = [];
  let commonName: string | null | undefined;
  let isClean = true;
  for (const relative of elementsIn(der, subjectElement(der), SEQUENCE)) {
    const attributes: string[] = [];
    for (const attribute of elementsIn(der, relative, SET)) {
      const [type, value] = elementsIn(der, attribute, SEQUENCE);
      if (type === undefined || value === undefined) throw new NotDer();
      const id = objectIdentifier(der, type);
      const text = textOf(value.tag, der.subarray(value.start, value.end));
      if (id === COMMON_NAME && commonName === undefined) commonName = text ?? null;
      if (text === null) isClean = false;
      const name = SHORT_NAMES[id];
      // Values of unknown types are shown as they are encoded (RFC 2253 section 2.4).
      const whole = der.subarray(type.end, value.end).toString('hex').toUpperCase();
      attributes.unshift(
        name === undefined || typeof text !== 'string' ? `${name ?? id}=#${whole}` : `${name}=${escapeValue(text)}`,
      );
    }
    parts.unshift(attributes.join('+'));
  }
  return { commonName: isClean ? (commonName ?? null) : null, subject: isClean ? parts.join(',') : null };
}
