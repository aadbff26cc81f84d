// The worker processes of mqtt-bench, as the process that starts them sees them.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Counts, Report } from '../../load/counts.ts';
import type { Crew } from '../../load/crew.ts';
import type { Share } from '../../load/plan.ts';

/** What a worker is asked. */
export interface Question {
  readonly id: number;
  readonly call: keyof Crew | 'start';
  readonly argument: unknown;
}

/** What it answers. */
export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

/** What a worker is told first. None of it stands on its command line, which everybody can read. */
export interface Start {
  /** The command and its options, as the process that starts it was given them. */
  readonly words: readonly string[];
  readonly password: string | null;
  readonly share: Share;
}

/** A worker process did not do its work. The message is a sentence. */
export class WorkerFailed extends Error {}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A worker process. */
export class RemoteCrew implements Crew {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #number: number;
  #asked = 0;
  #end: WorkerFailed | null = null;

  constructor(start: Start) {
    // The same name beside the bundle's chunks and beside the transpiled modules.
    const file = fileURLToPath(new URL('./bench-worker.js', import.meta.url));
    this.#number = start.share.worker + 1;
    // Detached, so that Ctrl-C at a terminal reaches only this process, which decides what becomes of the workers.
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
    this.#child = fork(file, [], { execArgv: [], detached: true, stdio: [...stdio] });
    this.#child.on('message', (answer: Answer) => this.#settle(answer));
    this.#child.on('error', (error) => this.#fail(`Worker ${this.#number} failed: ${error.message}.`));
    this.#child.on('exit', () => this.#fail(`Worker ${this.#number} ended before its time.`));
    this.#ask('start', start).catch((error: Error) => this.#fail(error.message));
  }

  open(): Promise<readonly number[]> {
    return this.#ask('open', null) as Promise<readonly number[]>;
  }

  async warmUp(missing: readonly number[]): Promise<void> {
    await this.#ask('warmUp', missing);
  }

  async begin(missing: readonly number[]): Promise<void> {
    await this.#ask('begin', missing);
  }

  look(): Promise<Counts> {
    return this.#ask('look', null) as Promise<Counts>;
  }

  async halt(): Promise<void> {
    await this.#ask('halt', null);
  }

  async close(): Promise<Report> {
    const report = (await this.#ask('close', null)) as Report;
    this.dismiss();
    return report;
  }

  /** Lets the process go. */
  dismiss(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #ask(call: Question['call'], argument: unknown): Promise<unknown> {
    if (this.#end !== null) return Promise.reject(this.#end);
    this.#asked += 1;
    const question: Question = { id: this.#asked, call, argument };
    return new Promise((resolve, reject) => {
      this.#pending.set(question.id, { resolve, reject });
      this.#child.send(question, (error) => {
        if (error !== null) this.#fail(`Worker ${this.#number} can't be reached: ${error.message}.`);
      });
    });
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('error' in answer) pending?.reject(new WorkerFailed(`Worker ${this.#number} failed: ${answer.error}.`));
    else pending?.resolve(answer.value);
  }

  #fail(sentence: string): void {
    this.#end ??= new WorkerFailed(sentence);
    for (const { reject } of this.#pending.values()) reject(this.#end);
    this.#pending.clear();
  }
}
