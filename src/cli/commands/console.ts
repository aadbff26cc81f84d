// What a client tool prints: messages and trace on standard output, sentences for people on standard error, in the order
// in which they were said.
import { printableLines } from '../../util/printable.ts';
import type { Sink } from '../format/values.ts';
import type { Io } from '../io.ts';
import { Output } from '../output.ts';
import { type Paint, paintFor } from '../terminal.ts';

/** Sentences that are kept for standard error while a screen is drawn. */
const MOST_HELD = 100;
/** Lines of the trace that are remembered: a packet, and what the broker says in it. */
const LAST_TRACED = 4;

/** Both outputs of a client tool. */
export class Console implements Sink {
  readonly out: Output;
  /** Colours for standard output; null where it is no terminal. */
  readonly paint: Paint;
  readonly #err: Output;
  readonly #errPaint: Paint;
  readonly #quiet: boolean;
  /** Where sentences are shown while a screen is drawn, and what is to be printed behind it. */
  #screen: ((sentence: string) => void) | null = null;
  #held: string[] = [];
  readonly #traced: string[] = [];

  constructor(io: Io, paint: Paint, errPaint: Paint, quiet: boolean) {
    this.out = new Output(io.stdout);
    this.#err = new Output(io.stderr);
    this.paint = paint;
    this.#errPaint = errPaint;
    this.#quiet = quiet;
  }

  text(text: string): void {
    this.out.text(text);
  }

  bytes(bytes: Buffer): void {
    this.out.bytes(bytes);
  }

  /** A line of the trace. */
  trace(line: string): void {
    this.#traced.push(line);
    if (this.#traced.length > LAST_TRACED) this.#traced.shift();
    this.out.text(`${line}\n`);
  }

  /** The last lines of the trace: what they said need not be said again. */
  get traced(): readonly string[] {
    return this.#traced;
  }

  /** A sentence about something that failed; nothing with --quiet. */
  error(sentence: string): void {
    this.#say(sentence, this.#errPaint.error);
  }

  /** What explains an error, behind its sentence; nothing with --quiet. */
  detail(line: string): void {
    this.#say(line, (text) => text);
  }

  /** A sentence about something odd that does not end the tool; nothing with --quiet. */
  warn(sentence: string): void {
    this.#say(sentence, this.#errPaint.warning);
  }

  /** A broker's words about what was only warned of; not those that the trace has just shown. */
  quote(words: readonly string[]): void {
    for (const line of words) if (!this.#traced.includes(line)) this.warn(line);
  }

  /** Resolves when everything has been written, or nobody reads it any more. */
  async finish(): Promise<void> {
    await this.out.finish();
    await this.#err.finish();
  }

  /** While a screen is drawn, sentences would run across it: the screen gets them, and standard error the last ones later. */
  divert(screen: (sentence: string) => void): void {
    this.#screen = screen;
  }

  /** The screen is no longer drawn. */
  undivert(): void {
    this.#screen = null;
    for (const line of this.#held.splice(0)) this.#write(line);
  }

  /** What a sentence quotes (the name of a file, of a host) is not to control the terminal. */
  #say(words: string, paint: (text: string) => string): void {
    if (this.#quiet) return;
    const sentence = printableLines(words);
    if (this.#screen === null) {
      this.#write(paint(sentence));
      return;
    }
    this.#held.push(paint(sentence));
    if (this.#held.length > MOST_HELD) this.#held.shift();
    this.#screen(sentence);
  }

  #write(line: string): void {
    this.out.flush();
    this.#err.text(`${line}\n`);
    this.#err.flush();
  }
}

/** The console of a tool; `quiet` is --quiet. */
export async function openConsole(io: Io, quiet: boolean): Promise<Console> {
  return new Console(io, await paintFor(io.stdout, io.env), await paintFor(io.stderr, io.env), quiet);
}
