// Where a payload comes from: a file, the whole of standard input, or its lines one by one.
import type { Readable } from 'node:stream';
import { MAX_VARINT } from '../protocol/constants.ts';
import { systemErrorText } from '../util/system-error.ts';
import { UsageError } from './messages.ts';

/** Largest payload in bytes; a little less still fits, depending on the topic, and the client checks that. */
const MAX_PAYLOAD = MAX_VARINT;
const LINE_FEED = 0x0a;

const tooLarge = (): string => `File must be less than ${MAX_PAYLOAD} bytes.`;

/**
 * The content of a file, also of a pipe or device. Throws UsageError if it can't be read or has more than 268,435,455
 * bytes; a regular file of that size is not read at all.
 */
export async function readPayloadFile(file: string): Promise<Buffer> {
  const failed = (why: string, cause = ''): UsageError =>
    new UsageError(`${why}\nError loading input file "${file}".${cause}`, 'nothing');
  try {
    const { open } = await import('node:fs/promises');
    const handle = await open(file, 'r');
    try {
      const facts = await handle.stat();
      if (facts.isDirectory()) throw failed(`Unable to read "${file}": it is a directory.`);
      if (facts.size >= MAX_PAYLOAD) throw failed(tooLarge());
      return await gather(handle.createReadStream({ autoClose: false }), () => failed(tooLarge()));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw failed(`Unable to open file "${file}".`, `\n${systemErrorText(error)}.`);
  }
}

/** The whole of standard input as one payload. Throws UsageError if it is empty or too large. */
export async function readPayloadStream(stream: Readable): Promise<Buffer> {
  const failed = (why: string): UsageError => new UsageError(`${why}\nError loading input from stdin.`, 'nothing');
  const payload = await gather(stream, () => failed(tooLarge()));
  if (payload.length === 0) throw failed('Zero length input.');
  return payload;
}

async function gather(stream: Readable, tooMuch: () => UsageError): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size >= MAX_PAYLOAD) throw tooMuch();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * The lines of a stream without their line feeds, in batches of as many as came at once: whoever takes a batch before the
 * next one is asked for sets the pace. The last line need not end with a line feed. Lines are views of the chunks read.
 * Throws UsageError with the sentence `tooLarge` for a line of `most` bytes or more: what is too large to send.
 */
export async function* lineBatches(
  stream: Readable,
  most: number = MAX_PAYLOAD,
  tooLarge = 'Message payload is too large.',
): AsyncGenerator<Buffer[]> {
  let kept: Buffer[] = [];
  let keptSize = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const line = chunk.subarray(start, end);
      lines.push(keptSize === 0 ? line : Buffer.concat([...kept, line]));
      kept = [];
      keptSize = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      kept.push(chunk.subarray(start));
      keptSize += chunk.length - start;
    }
    if (lines.length > 0) yield lines;
    if (keptSize >= most) throw new UsageError(tooLarge, 'nothing');
  }
  if (keptSize > 0) yield [Buffer.concat(kept)];
}
