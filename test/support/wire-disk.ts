// The disk under a broker's store, in the hands of a test. A broker writes its store from a worker thread; here the worker is
// one that runs in this thread, a loop turn later, holds what it is told to hold, and fails when it is told to fail. The
// broker knows nothing of it: the class Worker of node:worker_threads is replaced, as wire-clock.ts replaces the clocks.
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import { type Files, realFiles } from '../../src/broker/store/files.ts';
import type { LogReply, LogRequest } from '../../src/broker/store/log-messages.ts';
import { LogServer } from '../../src/broker/store/log-server.ts';
import { systemError } from './fake-files.ts';

/** Longest delay that setTimeout takes. */
const FAR = 2_147_483_647;

/** Turns of the loop that a request takes at the most. */
const LONGEST = 4;

/** What the worker is given. */
interface WorkerData {
  readonly folder: string;
  readonly salt: number;
}

/** The disk of one broker, which may be started on it again and again. */
export class Disk {
  /** The system's error code with which every write fails, null while none does. */
  private fault: string | null = null;
  private isHeld = false;
  /** What was done on a held disk, and the broker has not been told of. */
  private readonly untold: LogReply[] = [];
  private isTurning = false;
  private requested = 0;
  private worker: LocalWorker | null = null;
  private readonly requests: LogRequest[] = [];
  /** What the log has put off until its next attempt. */
  private retry: (() => void) | null = null;
  private wake: () => void = () => undefined;
  private readonly files: Files = {
    ...realFiles,
    write: (file, bytes, start, length) => {
      if (this.fault !== null) throw systemError(this.fault);
      return realFiles.write(file, bytes, start, length);
    },
    // The machine goes on when a test's broker is killed: nothing is lost that the system has.
    syncData: () => undefined,
    syncAll: () => undefined,
    syncFolder: () => undefined,
  };

  /** Has all brokers that this process starts write to this disk; returns what undoes it. */
  use(): () => void {
    const before = diskInUse;
    replaceWorkers();
    diskInUse = this;
    return () => {
      diskInUse = before;
    };
  }

  /** Whether it is neither held nor fails. */
  get isWorking(): boolean {
    return !this.isHeld && this.fault === null;
  }

  /** Nothing more is written. */
  hold(): void {
    this.isHeld = true;
  }

  /** Writes one group, but the broker does not learn of it yet. */
  write(): void {
    this.turn(this.requests.shift());
  }

  /** Writes one group, the next one stays. */
  step(): void {
    if (this.untold.length === 0) this.write();
    this.tell();
  }

  /** Writes what was held, and goes on. */
  release(): void {
    this.isHeld = false;
    this.tell();
    this.pump();
  }

  /** Lets every write fail. */
  fail(code: string): void {
    this.fault = code;
  }

  /** Lets writes succeed again; the log makes its next attempt at once. */
  mend(): void {
    this.fault = null;
    this.attempt();
  }

  /** Has the log try again what failed. */
  attempt(): void {
    const { retry } = this;
    this.retry = null;
    retry?.();
  }

  /** Resolves when nothing is on its way to the disk, or only what is held. */
  async quiet(): Promise<void> {
    for (let still = 0; still < 3; still++) {
      if (!this.isHeld && (this.isTurning || this.requests.length > 0)) {
        await new Promise<void>((resolve) => (this.wake = resolve));
        still = 0;
      }
      await later();
    }
  }

  /** What stands in for a broker's worker. */
  start(data: WorkerData): LocalWorker {
    this.requests.length = 0;
    this.untold.length = 0;
    this.retry = null;
    const worker = new LocalWorker(
      (request) => {
        this.requests.push(request);
        this.pump();
      },
      () => (this.worker = null),
    );
    worker.server = new LogServer(data.folder, data.salt, this.files, (reply) => {
      this.untold.push(reply);
      if (!this.isHeld || reply.kind === 'closed') this.tell();
    });
    this.worker = worker;
    return worker;
  }

  /** One request after the other, as long as there are any, each some turns later. A held disk still closes. */
  private pump(): void {
    if (this.isTurning) return;
    this.isTurning = true;
    this.requested += 1;
    inTurns(1 + (this.requested % LONGEST), () => {
      this.isTurning = false;
      if (!this.isHeld || this.requests[0]?.kind === 'close') this.turn(this.requests.shift());
      if (this.requests.length > 0 && !this.isHeld) this.pump();
      else this.wake();
    });
  }

  private turn(request: LogRequest | undefined): void {
    if (request !== undefined) this.worker?.server?.handle(request);
  }

  /** Tells of what was done. A failure makes the log set a timer: it is kept here, so that no test waits for it. */
  private tell(): void {
    const { worker } = this;
    const replies = this.untold.splice(0);
    if (worker === null) return;
    const real = globalThis.setTimeout;
    const kept = (call: () => void): NodeJS.Timeout => {
      this.retry = call;
      return real(() => undefined, FAR).unref();
    };
    if (replies.some(({ kind }) => kind === 'failed')) Reflect.set(globalThis, 'setTimeout', kept);
    try {
      for (const reply of replies) worker.emit('message', reply);
    } finally {
      Reflect.set(globalThis, 'setTimeout', real);
    }
  }
}

/** What brokers that this process starts write to; null for the real disk. */
let diskInUse: Disk | null = null;
let isReplaced = false;

/** Puts a class in the place of Worker that asks for the disk in use, once: having every module see it takes a while. */
function replaceWorkers(): void {
  if (isReplaced) return;
  isReplaced = true;
  const Real = threads.Worker;
  // Called with `new`, a function's own object takes the place of the one that was made for it.
  function chosen(url: URL, options: threads.WorkerOptions): object {
    const disk = url.pathname.includes('/store/') ? diskInUse : null;
    return disk === null ? new Real(url, options) : disk.start(options.workerData);
  }
  Reflect.set(threads, 'Worker', chosen);
  syncBuiltinESMExports();
}

/** What stands in for the thread. */
class LocalWorker extends EventEmitter {
  server: LogServer | null = null;
  private readonly take: (request: LogRequest) => void;
  private readonly ended: () => void;

  constructor(take: (request: LogRequest) => void, ended: () => void) {
    super();
    this.take = take;
    this.ended = ended;
  }

  postMessage(request: LogRequest): void {
    // The buffer changes hands: it is empty for the sender from now on.
    this.take(request.kind === 'write' ? structuredClone(request, { transfer: [request.bytes] }) : request);
  }

  terminate(): void {
    this.ended();
  }
}

function inTurns(turns: number, act: () => void): void {
  setImmediate(() => (turns > 1 ? inTurns(turns - 1, act) : act()));
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What scenarios call the things that happen to a disk. */
export function moveDisk(disk: Disk, verb: string): void {
  const move = MOVES[verb];
  if (move === undefined) throw new Error(`'${verb}' is nothing that a disk does`);
  move(disk);
}

const MOVES: Readonly<Record<string, (disk: Disk) => void>> = {
  holds: (disk) => disk.hold(),
  writes: (disk) => disk.write(),
  steps: (disk) => disk.step(),
  'goes-on': (disk) => disk.release(),
  fails: (disk) => disk.fail('ENOSPC'),
  retries: (disk) => disk.attempt(),
  works: (disk) => disk.mend(),
};
