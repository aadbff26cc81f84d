// -w: a line of the screen for each topic, which shows its newest message. Topics keep the line of their first message;
// those that find no room are counted in the last line. The screen is drawn at most 25 times a second, so that a flood of
// messages costs a terminal no more than a trickle.
import process from 'node:process';
import type { ReceivedMessage } from '../../client/options.ts';
import { uptimeMs } from '../../util/clock.ts';
import type { MessagePrinter } from '../format/format.ts';
import type { Io } from '../io.ts';
import { fitting, harmless } from '../screen-line.ts';
import type { Console } from './console.ts';
import type { Display } from './display.ts';

/** Milliseconds between two drawings. */
const FRAME_MS = 40;
/** Topics that are remembered with their messages: more than a screen has lines. */
const MOST_LINES = 1_000;
/** Topics without a line that are told from each other, to be counted. */
const MOST_NAMES = 100_000;
/** Bytes of a message that are looked at: more than a line has columns. */
const MOST_BYTES = 8_192;

const DRAWING = '\u001b[?25l\u001b[?7l'; // cursor hidden, long lines not wrapped
const ORDINARY = '\u001b[?7h\u001b[?25h';
const CLEARED = '\u001b[H\u001b[J';

/** A line of the screen. Of many messages between two drawings, only the last one is ever made a text. */
interface Line {
  /** The topic, and what the line shows: both harmless. */
  readonly topic: string;
  text: string;
  /** What it will show; null where that is its text already. */
  next: ReceivedMessage | null;
  isDrawn: boolean;
}

/** Gathers the beginning of what a printer prints. */
class Gathered {
  #text = '';

  text(text: string): void {
    if (this.#text.length < MOST_BYTES) this.#text += text.slice(0, MOST_BYTES);
  }

  bytes(bytes: Buffer): void {
    this.text(bytes.toString('utf8', 0, MOST_BYTES));
  }

  warn(): void {
    // The line stays empty.
  }

  get line(): string {
    return harmless(this.#text).trimEnd();
  }
}

/** Keeps a screen of topics. */
export class Watch implements Display {
  readonly #stdout: Io['stdout'];
  readonly #console: Console;
  readonly #print: MessagePrinter;
  readonly #now: () => number;
  readonly #lines = new Map<string, Line>();
  readonly #further = new Set<string>();
  #state: 'new' | 'drawing' | 'over' = 'new';
  #timer: NodeJS.Timeout | null = null;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #sentence = '';
  /** The last line, as it is on the screen. */
  #status = '';

  /** @param now milliseconds of a clock that never goes back */
  constructor({ stdout }: Pick<Io, 'stdout'>, console: Console, print: MessagePrinter, now: () => number = uptimeMs) {
    this.#now = now;
    this.#stdout = stdout;
    this.#console = console;
    this.#print = print;
  }

  /** The screen is taken only when there is something to show. */
  begin(): void {}

  show(message: ReceivedMessage): void {
    if (this.#state === 'over') return;
    this.#note(message);
    if (this.#state === 'new') this.#start();
    this.#soon();
  }

  end(): void {
    if (this.#state !== 'drawing') {
      this.#state = 'over';
      return;
    }
    this.#draw();
    this.#leave();
    this.#state = 'over';
    this.#stdout.off('resize', this.#redraw);
    process.off('SIGCONT', this.#resume);
    process.off('SIGTSTP', this.#suspend);
    process.off('SIGQUIT', this.#quit);
    process.off('exit', this.#restore);
    this.#console.undivert();
  }

  #note(message: ReceivedMessage): void {
    const known = this.#lines.get(message.topic);
    if (known === undefined && this.#lines.size >= MOST_LINES) {
      if (this.#further.size < MOST_NAMES) this.#further.add(message.topic);
      return;
    }
    if (known !== undefined) known.next = message;
    else this.#lines.set(message.topic, { topic: harmless(message.topic), text: '', next: message, isDrawn: false });
  }

  #update(line: Line): void {
    if (line.next === null) return;
    const gathered = new Gathered();
    this.#print(line.next, gathered);
    line.text = gathered.line;
    line.next = null;
    line.isDrawn = false;
  }

  #start(): void {
    this.#state = 'drawing';
    this.#stdout.on('resize', this.#redraw);
    if (process.platform !== 'win32') {
      process.on('SIGCONT', this.#resume);
      process.on('SIGTSTP', this.#suspend);
      process.once('SIGQUIT', this.#quit);
    }
    process.on('exit', this.#restore);
    this.#console.divert((sentence) => {
      this.#sentence = harmless(sentence);
      this.#soon();
    });
    this.#enter();
  }

  /** What was on the screen moves up, out of the way. */
  #enter(): void {
    this.#console.text(`${'\n'.repeat(this.#rows)}${DRAWING}${CLEARED}`);
  }

  /** The cursor goes below the lines. */
  #leave(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#console.text(`${at(this.#shown + 1)}${this.#status === '' ? '' : '\r\n'}${ORDINARY}`);
    this.#console.out.flush();
  }

  get #rows(): number {
    return this.#stdout.rows > 1 ? this.#stdout.rows : 24;
  }

  get #columns(): number {
    return this.#stdout.columns > 0 ? this.#stdout.columns : 80;
  }

  /** Lines on the screen; the last row is for the status. */
  get #shown(): number {
    return Math.min(this.#lines.size, this.#rows - 1);
  }

  #soon(): void {
    if (this.#timer !== null || this.#state !== 'drawing') return;
    this.#timer = setTimeout(() => this.#draw(), Math.max(0, this.#drawnAt + FRAME_MS - this.#now()));
  }

  #draw(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#drawnAt = this.#now();
    const shown = this.#shown;
    let row = 0;
    let text = '';
    for (const line of this.#lines.values()) {
      row += 1;
      this.#update(line);
      if (row > shown || line.isDrawn) continue;
      line.isDrawn = true;
      text += `${at(row)}\u001b[2K${this.#painted(line)}`;
    }
    this.#status = this.#statusLine(this.#lines.size - shown + this.#further.size);
    this.#console.text(`${text}${at(shown + 1)}\u001b[J${this.#status}`);
  }

  #painted({ topic, text }: Line): string {
    const line = fitting(text, this.#columns);
    if (!text.startsWith(`${topic} `)) return line;
    return this.#console.paint.topic(line.slice(0, topic.length)) + line.slice(topic.length);
  }

  #statusLine(further: number): string {
    const count = this.#further.size >= MOST_NAMES ? `at least ${further}` : String(further);
    const more = further === 0 ? [] : [`… ${count} more ${further === 1 ? 'topic' : 'topics'}`];
    const parts = this.#sentence === '' ? more : [...more, this.#sentence];
    return fitting(parts.join(' · '), this.#columns);
  }

  /** The screen has another size, or somebody else wrote on it. */
  readonly #redraw = (): void => {
    for (const line of this.#lines.values()) line.isDrawn = false;
    this.#console.text(CLEARED);
    this.#soon();
  };

  /** Ctrl-Z: the shell gets an ordinary screen. */
  readonly #suspend = (): void => {
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
  };

  /** Ctrl-\ ends the process as ever, and gets it, too. */
  readonly #quit = (): void => {
    this.#leave();
    process.kill(process.pid, 'SIGQUIT');
  };

  readonly #resume = (): void => {
    this.#enter();
    this.#redraw();
  };

  /** The last resort, when the process ends without end(). */
  readonly #restore = (): void => {
    this.#stdout.write(ORDINARY);
  };
}

/** Moves the cursor to the beginning of a row, from 1. */
function at(row: number): string {
  return `\u001b[${row};1H`;
}
