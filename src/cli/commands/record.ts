// mqtt-sub --record FILE: writes every message to a file, as a line that mqtt-pub --replay (and --json-lines) can send again.
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { ReceivedMessage } from '../../client/options.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { LineFault, MAX_LINE, messageLine, parseMessageLine } from '../json-lines.ts';
import { UsageError } from '../messages.ts';
import { wallTime } from '../wall-time.ts';
import type { Display } from './display.ts';

/** Characters that are written before the turn is over. */
const EARLY = 262_144;
/** Bytes that are looked at to tell whether a file is a recording. */
const LOOK = 65_536;
const LINE_FEED = 0x0a;
/** What the lines of recordings begin with. */
const BEGINNING = '{"tst":"';

/** Shows messages by writing them to a recording, and in another way as well where there is one. */
export class Recorder implements Display {
  readonly #name: string;
  readonly #shown: Display | null;
  readonly #fd: number;
  #lines = '';
  #isScheduled = false;
  #isOpen = true;
  #fail: (error: Error) => void = () => undefined;

  /**
   * Opens a recording, new lines go behind those that are there. Throws UsageError where it can't be, or is no recording.
   * @param warn is told of half a line that is cut off
   */
  constructor(name: string, shown: Display | null, warn: (sentence: string) => void) {
    this.#name = name;
    this.#shown = shown;
    this.#fd = openRecording(name, warn);
    // The first reading of the clock takes milliseconds, by which the first message would be recorded late.
    wallTime();
  }

  /** Sets who is told that the recording can't go on. */
  onFailure(tell: (error: Error) => void): void {
    this.#fail = tell;
  }

  begin(): void {
    this.#shown?.begin();
  }

  show(message: ReceivedMessage): void {
    if (!this.#isOpen) return;
    this.#lines += `${messageLine(message, wallTime())}\n`;
    if (this.#lines.length >= EARLY) this.#flush();
    else this.#flushSoon();
    this.#shown?.show(message);
  }

  end(): void {
    this.#shown?.end();
    this.#flush();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      fdatasyncSync(this.#fd);
    } catch (error) {
      this.#fail(this.#failure(error));
    }
    closeSync(this.#fd);
  }

  /** All messages of a loop turn are one write. */
  #flushSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#isOpen || this.#lines === '') return;
    const bytes = Buffer.from(this.#lines);
    this.#lines = '';
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(this.#fd, bytes, done);
    } catch (error) {
      this.#isOpen = false;
      this.#cutOff(done - 1 - bytes.subarray(0, done).lastIndexOf(LINE_FEED));
      closeSync(this.#fd);
      this.#fail(this.#failure(error));
    }
  }

  /** Whole lines stay, half a line does not. Somebody else may have made the file shorter meanwhile. */
  #cutOff(bytes: number): void {
    try {
      if (bytes > 0) ftruncateSync(this.#fd, fstatSync(this.#fd).size - bytes);
    } catch {
      // The next recording finds it.
    }
  }

  #failure(error: unknown): UsageError {
    return new UsageError(`The recording "${this.#name}" can't be written: ${systemErrorText(error)}.`, 'nothing');
  }
}

/** Nothing that is no recording is ever written to. */
function openRecording(name: string, warn: (sentence: string) => void): number {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);
  let fd = -1;
  try {
    fd = openSync(name, flags, 0o666);
    const facts = fstatSync(fd);
    if (!facts.isFile()) {
      throw new UsageError(`The recording "${name}" is not a regular file: --json-lines writes to others.`, 'nothing');
    }
    if (facts.size === 0) return fd;
    checkFirstLine(fd, name);
    mendEnd(fd, name, facts.size, warn);
    return fd;
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Unable to open the recording "${name}": ${systemErrorText(error)}.`, 'nothing');
  }
}

function checkFirstLine(fd: number, name: string): void {
  const bytes = Buffer.alloc(LOOK);
  const length = readSync(fd, bytes, 0, LOOK, 0);
  const end = bytes.subarray(0, length).indexOf(LINE_FEED);
  const line = bytes.subarray(0, end < 0 ? length : end);
  // A first line that is longer, or was not written to its end, is known by its beginning.
  if (end < 0 ? BEGINNING.startsWith(line.toString('latin1', 0, BEGINNING.length)) : isMessage(line)) return;
  throw new UsageError(`"${name}" is not a recording of mqtt-sub; it is left as it is.`, 'nothing');
}

/** A last line without its end is cut off, or ended if it is whole. */
function mendEnd(fd: number, name: string, size: number, warn: (sentence: string) => void): void {
  const start = lastLineOf(fd, size);
  if (start === size) return;
  const length = size - start;
  // A line that is too long, as of the zeros that a power failure may leave, is no message.
  if (length < MAX_LINE && isMessage(lineAt(fd, start, length))) {
    writeSync(fd, '\n');
    return;
  }
  ftruncateSync(fd, start);
  warn(`Warning: The last line of the recording "${name}" was not written to its end: ${length} bytes are cut off.`);
}

function lineAt(fd: number, start: number, length: number): Buffer {
  const line = Buffer.alloc(length);
  readSync(fd, line, 0, length, start);
  return line;
}

/** Where the last line begins; the size where the file ends with the end of a line. */
function lastLineOf(fd: number, size: number): number {
  const bytes = Buffer.alloc(LOOK);
  for (let end = size; end > 0; end -= LOOK) {
    const from = Math.max(0, end - LOOK);
    const length = readSync(fd, bytes, 0, end - from, from);
    const at = bytes.subarray(0, length).lastIndexOf(LINE_FEED);
    if (at >= 0) return from + at + 1;
  }
  return 0;
}

function isMessage(line: Buffer): boolean {
  try {
    return parseMessageLine(line).topic !== null;
  } catch (error) {
    if (error instanceof LineFault) return false;
    throw error;
  }
}
