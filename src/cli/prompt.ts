// Asks for passwords: on a terminal without echo, from a pipe a line for each.
import { StringDecoder } from 'node:string_decoder';
import type { Io } from './io.ts';

/** The user pressed Ctrl-C at a prompt. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/** Asks questions one after the other; `close` gives standard input back. */
export interface Prompter {
  /**
   * The answer without its line end; null at the end of input. With a null question nothing is written. What is typed is seen
   * only if `typing` says so. Rejects with Interrupted.
   */
  ask(question: string | null, typing?: 'hidden' | 'shown'): Promise<string | null>;
  close(): void;
}

/** A prompter on standard input that writes its questions to `output`. */
export function openPrompter(io: Pick<Io, 'stdin'>, output: NodeJS.WritableStream): Prompter {
  const { stdin } = io;
  const hidden = stdin.isTTY === true;
  const read = hidden ? keyReader(stdin) : lineReader(stdin);
  if (hidden) stdin.setRawMode(true);
  const restore = () => {
    if (hidden) stdin.setRawMode(false);
  };
  return {
    async ask(question, typing = 'hidden') {
      output.write(question ?? '');
      // What is typed at a terminal does not end the line there; from a pipe, as in mosquitto_passwd, an answer does.
      let ended = hidden;
      try {
        const answer = await read((text) => typing === 'shown' && output.write(text));
        ended ||= answer !== null && answer !== '';
        return answer;
      } finally {
        if (question !== null && ended) output.write('\n');
      }
    },
    close() {
      restore();
      stdin.destroy();
    },
  };
}

/** Longest answer, in characters: more than any password may have. */
const MAX_ANSWER = 70_000;

/** Lines of a pipe or file. */
function lineReader(stdin: Io['stdin']): () => Promise<string | null> {
  const chunks = chunkReader(stdin);
  let rest = '';
  return async () => {
    for (;;) {
      const end = rest.indexOf('\n');
      if (end !== -1 || rest.length > MAX_ANSWER) {
        const line = end === -1 ? rest : rest.slice(0, end);
        rest = end === -1 ? '' : rest.slice(end + 1);
        return line.replace(/\r$/, '');
      }
      const chunk = await chunks();
      if (chunk !== null) {
        rest += chunk;
        continue;
      }
      const last = rest;
      rest = '';
      return last === '' ? null : last;
    }
  };
}

/** What is typed at a terminal in raw mode, where the editing keys are ours to obey, and showing it is too. */
function keyReader(stdin: Io['stdin']): (show: (text: string) => void) => Promise<string | null> {
  const chunks = chunkReader(stdin);
  let typed: string[] = [];
  return async (show) => {
    const answer: string[] = [];
    const takeBack = () => {
      if (answer.pop() !== undefined) show('\b \b');
    };
    for (;;) {
      if (typed.length === 0) {
        const chunk = await chunks();
        if (chunk === null) return null;
        typed = [...chunk];
      }
      const key = typed.shift() ?? '';
      if (key === '\r' || key === '\n') return answer.join('');
      if (key === '\x03') throw new Interrupted();
      if (key === '\x04' && answer.length === 0) return null;
      if (key === '\x7f' || key === '\b') takeBack();
      else if (key === '\x15') while (answer.length > 0) takeBack();
      else if (key >= ' ' && answer.length < MAX_ANSWER) {
        answer.push(key);
        show(key);
      }
    }
  };
}

/** Text of a stream as it comes, characters whole; null at its end. */
function chunkReader(stdin: Io['stdin']): () => Promise<string | null> {
  const decoder = new StringDecoder('utf8');
  const iterator = stdin[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await iterator.next();
    return done === true ? null : decoder.write(value as Buffer);
  };
}
