// What a client tool prints: messages and trace on standard output, sentences for people on standard error, in the order
// in which they were said.
import type { Sink } from '../format-values.ts';
import type { Io } from '../io.ts';
import { Output } from '../output.ts';
import { type Paint, paintFor } from '../terminal.ts';

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
    this.#say(this.#errPaint.error(sentence));
  }

  /** A sentence about something odd that does not end the tool; nothing with --quiet. */
  warn(sentence: string): void {
    this.#say(this.#errPaint.warning(sentence));
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

  #say(sentence: string): void {
    if (this.#quiet) return;
    this.out.flush();
    this.#err.text(`${sentence}\n`);
    this.#err.flush();
  }
}

/** The console of a tool; `quiet` is --quiet. */
export async function openConsole(io: Io, quiet: boolean): Promise<Console> {
  return new Console(io, await paintFor(io.stdout, io.env), await paintFor(io.stderr, io.env), quiet);
}
