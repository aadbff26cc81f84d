// What is known of a connection that did not come about, beside its error: how far it came, which addresses were tried and
// what the other side answered. It is kept beside the errors, which are the system's and the libraries' own.
import type { Socket } from 'node:net';

/** How far dialling came before it failed: no connection (to the proxy, if there is one), none beyond it, no TLS, … */
export type DialStage = 'connect' | 'proxy' | 'tls' | 'websocket' | 'connack';

/** One address that was dialled. */
export interface DialAttempt {
  readonly address: string;
  readonly port: number;
  /** The system's code for what came of it; null while nothing came, or when it connected. */
  code: string | null;
}

/** The other side answered the request for an upgrade, and not with a WebSocket. */
export class UpgradeRefused extends Error {
  /** HTTP status; 0 where the answer is none that the rules for WebSocket allow. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'UpgradeRefused';
    this.status = status;
  }
}

interface DialFacts {
  readonly stage: DialStage;
  readonly attempts: readonly DialAttempt[];
}

/** Bytes of an answer that are kept. */
const LONGEST_ANSWER = 128;

const facts = new WeakMap<Error, DialFacts>();
const answers = new WeakMap<Error, Buffer>();

/** Remembers how far dialling came before this error; the first word about an error holds. */
export function noteDial(error: unknown, stage: DialStage, attempts: readonly DialAttempt[]): void {
  if (error instanceof Error && !facts.has(error)) facts.set(error, { stage, attempts });
}

/** How far dialling came before this error; null for an error of another kind. */
export function dialFacts(error: Error): DialFacts | null {
  return facts.get(error) ?? null;
}

/** Remembers what the other side had sent when this error showed; the first bytes are enough to know who speaks. */
export function noteAnswer(error: Error, bytes: Buffer): void {
  answers.set(error, Buffer.from(bytes.subarray(0, LONGEST_ANSWER)));
}

/** What the other side had sent when this error showed; null where nothing is known. */
export function answerBefore(error: Error): Buffer | null {
  return answers.get(error) ?? null;
}

/** Adds the addresses that a socket tries to the list, in their order, with what came of each. */
export function watchAttempts<S extends Socket>(socket: S, attempts: DialAttempt[]): S {
  socket.on('connectionAttempt', (address: string, port: number) => {
    attempts.push({ address, port, code: null });
  });
  const failed = (address: string, code: string): void => {
    const attempt = attempts.findLast((tried) => tried.address === address);
    if (attempt !== undefined) attempt.code = code;
  };
  socket.on('connectionAttemptFailed', (address: string, _port: number, _family: number, error: Error) => {
    failed(address, (error as NodeJS.ErrnoException).code ?? '');
  });
  socket.on('connectionAttemptTimeout', (address: string) => failed(address, 'ETIMEDOUT'));
  return socket;
}
