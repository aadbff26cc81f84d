// Copying an encoded message into the send buffer, and writing over the copy what is the receiver's own.
import { FLAG_RETAIN } from '../protocol/constants.ts';
import { type Publication, type PublishFrame, writeHead } from '../protocol/publish.ts';

/** Longest run of bytes that is copied in a loop; above it a typed array's set() is quicker. */
const LOOP_COPY = 48;

/** Lowest bits of a message's meta: the first byte's flags; above them the packet identifier. */
export const FLAG_BITS = 4;

/**
 * Writes one message (its payload too, if `withPayload`) into target and returns the offset behind it.
 * @param alias its topic alias: negative and new, positive and known to the receiver, or 0 for none
 * @param extra property bytes of the receiver's own
 */
export function copyOut(
  target: Buffer,
  at: number,
  publication: Publication,
  shape: 0 | 1,
  meta: number,
  alias: number,
  extra: Buffer,
  now: number,
  withPayload: boolean,
): number {
  const id = meta >>> FLAG_BITS;
  const first = 0x30 | (meta & 0x0f);
  let end: number;
  let hasPayload = false;
  const isOwn = shape === 1 && (alias !== 0 || extra.length > 0);
  // A retained message stays for long and goes out seldom: an encoding kept with each of a million would be a leak.
  if (isOwn || ((meta & FLAG_RETAIN) !== 0 && !publication.hasFrame(shape, id > 0))) {
    end = writeHead(target, at, publication, shape, first, id, extra, Math.abs(alias), alias <= 0);
    if (publication.expiryAt >= 0 && shape === 1) {
      patchExpiry(target, end - publication.propertyBytes.length + publication.expiryAt, publication.expiresAt, now);
    }
  } else {
    const frame = publication.frame(shape, id > 0);
    hasPayload = frame.hasPayload;
    end = withPayload || !hasPayload ? copyFrame(target, at, frame) : copyHead(target, at, frame, publication);
    target[at] = first;
    if (id > 0) {
      target[at + frame.idAt] = id >>> 8;
      target[at + frame.idAt + 1] = id;
    }
    if (frame.expiryAt >= 0) patchExpiry(target, at + frame.expiryAt, publication.expiresAt, now);
  }
  if (withPayload && !hasPayload) {
    const length = publication.payloadEnd - publication.payloadStart;
    copyBytes(target, end, publication.payloadBuffer, publication.payloadStart, length);
    end += length;
  }
  return end;
}

/** Copies a whole frame and returns the offset behind it. */
function copyFrame(target: Buffer, at: number, frame: PublishFrame): number {
  const length = frame.end - frame.start;
  if (length <= LOOP_COPY) {
    const bytes = frame.bytes;
    for (let i = 0, from = frame.start; i < length; i++) target[at + i] = bytes[from + i]!;
  } else {
    if (frame.view === null) frame.view = frame.bytes.subarray(frame.start, frame.end);
    target.set(frame.view, at);
  }
  return at + length;
}

/** Copies a received frame without its payload and returns the offset behind it. */
function copyHead(target: Buffer, at: number, frame: PublishFrame, publication: Publication): number {
  const length = frame.end - frame.start - (publication.payloadEnd - publication.payloadStart);
  copyBytes(target, at, frame.bytes, frame.start, length);
  return at + length;
}

/** Copies a run of bytes. */
export function copyBytes(target: Buffer, at: number, source: Buffer, start: number, length: number): void {
  if (length <= LOOP_COPY) {
    for (let i = 0; i < length; i++) target[at + i] = source[start + i]!;
  } else {
    target.set(source.subarray(start, start + length), at);
  }
}

/** Seconds that are left, over the four bytes of the expiry [MQTT-3.3.2-6]. */
function patchExpiry(target: Buffer, at: number, expiresAt: number, nowMs: number): void {
  // The wall clock may have been set back since.
  const left = Math.min(0xffff_ffff, Math.max(0, Math.ceil((expiresAt - nowMs) / 1000)));
  target[at] = left >>> 24;
  target[at + 1] = left >>> 16;
  target[at + 2] = left >>> 8;
  target[at + 3] = left;
}
