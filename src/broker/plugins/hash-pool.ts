// Checks passwords in a worker thread, one at a time, so that neither the event loop nor the thread pool of file and name
// look-ups ever waits for a hash. The thread starts with the first check and ends after a while without any; it keeps the
// process alive only while it works. Who waits, waits fairly (fair-queue.ts).
import { Worker } from 'node:worker_threads';
import { wipe } from '../../util/secret.ts';
import { addressGroup } from './address-group.ts';
import { FairQueue } from './fair-queue.ts';

/** What the worker thread is asked and answers. */
export interface HashQuestion {
  readonly password: Uint8Array;
  readonly stored: string;
}
export type HashAnswer = { readonly matches: boolean } | { readonly error: string };

/** 'busy': too many checks were waiting; the password was not looked at. */
export type HashVerdict = 'match' | 'mismatch' | 'busy';

interface Job {
  readonly question: HashQuestion;
  readonly resolve: (verdict: HashVerdict) => void;
  readonly reject: (error: Error) => void;
}

/** Checks that may wait; at about ten a second for bcrypt, more would wait past any client's patience. */
const MOST_WAITING = 1000;
const IDLE_MS = 30_000;

/** The worker thread, and the line before it. */
export class HashPool {
  readonly #waiting: FairQueue<Job>;
  readonly #idleMs: number;
  #worker: Worker | null = null;
  #current: Job | null = null;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;

  /** `waiting`: how many checks may wait. `idleMs`: milliseconds without work after which the thread ends. */
  constructor(limits: { waiting?: number; idleMs?: number } = {}) {
    this.#waiting = new FairQueue(limits.waiting ?? MOST_WAITING);
    this.#idleMs = limits.idleMs ?? IDLE_MS;
  }

  /** Whether the worker thread exists at the moment. */
  get running(): boolean {
    return this.#worker !== null;
  }

  /**
   * Checks a password against a stored hash, in turn with the other addresses and users. The bytes are copied. Rejects when
   * the worker thread fails or the pool is closed.
   */
  verify(address: string, username: string, password: Uint8Array, stored: string): Promise<HashVerdict> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new Error('the password check was given up: the broker is stopping'));
        return;
      }
      // An own copy in an own block of memory: the original may be part of a network chunk that lives on.
      const job: Job = { question: { password: Uint8Array.from(password), stored }, resolve, reject };
      const givesWay = this.#waiting.push(addressGroup(address), username, job);
      if (givesWay !== null) finish(givesWay, () => givesWay.resolve('busy'));
      this.#next();
    });
  }

  /** Ends the thread; checks that are waiting or under way are rejected. */
  close(): void {
    this.#closed = true;
    const error = new Error('the password check was given up: the broker is stopping');
    this.#stopWorker(error);
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) fail(job, error);
  }

  /** Hands the next check to the thread if it is free. */
  #next(): void {
    while (this.#current === null) {
      const job = this.#waiting.shift();
      if (job === undefined) {
        this.#rest();
        return;
      }
      if (this.#idle !== null) clearTimeout(this.#idle);
      this.#idle = null;
      this.#current = job;
      try {
        this.#worker ??= this.#start();
        this.#worker.ref();
        this.#worker.postMessage(job.question);
      } catch (error) {
        // No thread to be had: this check fails, the others try again.
        this.#stopWorker(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  /** Nothing to do: lets the process end, and the thread after a while. */
  #rest(): void {
    this.#worker?.unref();
    if (this.#worker === null || this.#idle !== null) return;
    this.#idle = setTimeout(() => {
      this.#idle = null;
      this.#stopWorker(null);
    }, this.#idleMs).unref();
  }

  #start(): Worker {
    // The same name beside the bundle's chunks and beside the transpiled modules.
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url), { name: 'hashes', execArgv: [] });
    worker.on('message', (answer: HashAnswer) => {
      const job = this.#current;
      if (job === null || worker !== this.#worker) return;
      this.#current = null;
      if ('error' in answer) fail(job, new Error(answer.error));
      else finish(job, () => job.resolve(answer.matches ? 'match' : 'mismatch'));
      this.#next();
    });
    worker.on('error', (error) => this.#lost(worker, error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => this.#lost(worker, new Error(`the password worker ended with code ${code}`)));
    return worker;
  }

  /** The thread ended by itself: the check that it was at fails, and the next one gets a new thread. */
  #lost(worker: Worker, error: Error): void {
    if (worker !== this.#worker) return;
    this.#stopWorker(error);
    this.#next();
  }

  /** Ends the thread and fails the check that it is at. */
  #stopWorker(error: Error | null): void {
    const worker = this.#worker;
    const job = this.#current;
    this.#worker = null;
    this.#current = null;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    if (worker !== null) void worker.terminate();
    if (job !== null) fail(job, error ?? new Error('the password worker was stopped'));
  }
}

function finish(job: Job, settle: () => void): void {
  wipe(job.question.password);
  settle();
}

function fail(job: Job, error: Error): void {
  finish(job, () => job.reject(error));
}
