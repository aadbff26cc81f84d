// Copying an encoded message into the send buffer, and writing over the copy what is the receiver's own.
import type { Publication, PublishFrame } from '../protocol/publish.ts';

/** Longest run of bytes that is copied in a loop; above it a typed array's set() is quicker. */
const LOOP_COPY = 48;

/** Copies a whole frame and returns the offset behind it. */
export function copyFrame(target: Buffer, at: number, frame: PublishFrame): number {
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
export function copyHead(target: Buffer, at: number, frame: PublishFrame, publication: Publication): number {
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
export function patchExpiry(target: Buffer, at: number, expiresAt: number, nowMs: number): void {
  // The wall clock may have been set back since.
  const left = Math.min(0xffff_ffff, Math.max(0, Math.ceil((expiresAt - nowMs) / 1000)));
  target[at] = left >>> 24;
  target[at + 1] = left >>> 16;
  target[at + 2] = left >>> 8;
  target[at + 3] = left;
}
