// Where a payload comes from: a file, the whole of standard input, or its lines one by one.
import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import process from 'node:process';
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
      if (facts.isFile() && facts.size > 0) return await readBytes(handle, facts.size);
      return await gather(handle.createReadStream({ autoClose: false }), () => failed(tooLarge()));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw failed(`Unable to open file "${file}".`, `\n${systemErrorText(error)}.`);
  }
}

/** The first bytes of a file, in memory that is taken once: gathered in pieces, a large payload would take it twice. */
async function readBytes(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let have = 0;
  while (have < size) {
    const { bytesRead } = await handle.read(bytes, have, size - have, null);
    // It has become shorter meanwhile.
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return bytes.subarray(0, have);
}

/** Standard input, or another stream, cannot be read. */
export class InputError extends UsageError {
  /** The cause, without a full stop. */
  readonly why: string;

  /** @param name of the stream, for the sentence */
  constructor(why: string, name = 'standard input') {
    super(`Unable to read ${name}: ${why}.`, 'nothing');
    this.why = why;
  }
}

/** What standard input brings. Throws InputError; Node would take a directory for an empty file. */
async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  let isEmpty = true;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      isEmpty = false;
      yield chunk;
    }
  } catch (error) {
    // The tool itself has closed it, as it is about to end.
    if ((error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    throw new InputError(systemErrorText(error));
  }
  if (isEmpty && stream === process.stdin && fstatSync(0).isDirectory()) throw new InputError('it is a directory');
}

/** The whole of standard input as one payload. Throws UsageError if it is empty or too large. */
export async function readPayloadStream(stream: Readable): Promise<Buffer> {
  const failed = (why: string): UsageError => new UsageError(`${why}\nError loading input from stdin.`, 'nothing');
  const payload = await gather(chunksOf(stream), () => failed(tooLarge()));
  if (payload.length === 0) throw failed('Zero length input.');
  return payload;
}

async function gather(stream: AsyncIterable<Buffer>, tooMuch: () => UsageError): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size >= MAX_PAYLOAD) throw tooMuch();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * The lines of a stream without their line feeds, in batches of as many as came at once: whoever takes a batch before the
 * next one is asked for sets the pace. The last line need not end with a line feed. Lines are views of the chunks read.
 * Throws UsageError with the sentence `tooLarge` for a line of `most` bytes or more (what is too large to send), InputError
 * where the stream cannot be read.
 * @param unended is told that the line which comes is the last one and has no line feed
 */
export async function* lineBatches(
  stream: Readable,
  most: number = MAX_PAYLOAD,
  tooLarge = 'Message payload is too large.',
  unended: () => void = () => undefined,
): AsyncGenerator<Buffer[]> {
  let kept: Buffer[] = [];
  let keptSize = 0;
  for await (const chunk of chunksOf(stream)) {
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
  if (keptSize === 0) return;
  unended();
  yield [Buffer.concat(kept)];
}
