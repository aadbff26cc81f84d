// What is sent: bytes of a size, of a file, or a text that each publisher fills in, and where the stamp stands in them.
import { STAMP_DIGITS, STAMP_SIZE } from './stamp.ts';
import { type ClientNames, fill, hasPlace } from './template.ts';

/** Where payloads come from. */
export type PayloadSource =
  | { readonly kind: 'size'; readonly size: number; readonly stamped: boolean }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'template'; readonly template: string };

/** A publisher's payload. */
export interface Payload {
  readonly bytes: Buffer;
  /** Where the stamp goes, -1 without. */
  readonly stampAt: number;
  /** Whether it is a stamp of hexadecimal digits. */
  readonly isText: boolean;
}

/** Whether payloads from there carry stamps. */
export function isStamped(source: PayloadSource): boolean {
  if (source.kind === 'size') return source.stamped && source.size >= STAMP_SIZE;
  return source.kind === 'template' && hasPlace(source.template, 's');
}

/** Printable, so that what arrives can be looked at. */
const FILLING = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Stands for the stamp while the rest is filled in. */
const NO_TEXT = '\uFFFF';

/** The payload of one publisher; the stamp's place is not written yet. */
export function payloadOf(source: PayloadSource, names: ClientNames): Payload {
  if (source.kind === 'bytes') return { bytes: source.bytes, stampAt: -1, isText: false };
  if (source.kind === 'size') {
    const bytes = Buffer.alloc(source.size, FILLING);
    return { bytes, stampAt: isStamped(source) ? 0 : -1, isText: false };
  }
  // Only the first place gets the stamp; an escaped percent sign must not make another one.
  const marked = source.template.replace(/%(.)/g, (whole, letter: string) => (letter === 's' ? NO_TEXT : whole));
  const [before = '', ...after] = fill(marked, names).split(NO_TEXT);
  if (after.length === 0) return { bytes: Buffer.from(before), stampAt: -1, isText: false };
  const head = Buffer.from(before);
  const tail = Buffer.from(after.join(''));
  return {
    bytes: Buffer.concat([head, Buffer.alloc(STAMP_DIGITS, '0'), tail]),
    stampAt: head.length,
    isText: true,
  };
}

/** Bytes of a payload, for rates in bytes; those of the first publisher where names make them differ. */
export function payloadSize(source: PayloadSource, names: ClientNames): number {
  return source.kind === 'size' ? source.size : payloadOf(source, names).bytes.length;
}
