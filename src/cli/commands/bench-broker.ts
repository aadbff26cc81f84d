// The broker's process beside a run (--pid): its CPU time and memory at the points that the summary compares.
import { type ProcessUsage, usageOf } from '../../load/process-usage.ts';
import { systemErrorText } from '../../util/system-error.ts';

type Point = 'before' | 'began' | 'ended';

/** Looks at a process. What can't be read is said once, in a sentence. */
export class BrokerWatch {
  readonly #pid: number;
  readonly #read: (pid: number) => ProcessUsage;
  readonly #points = new Map<Point, ProcessUsage>();
  /** Why nothing could be read, null as long as all is well. */
  fault: string | null = null;

  constructor(pid: number, read: (pid: number) => ProcessUsage = usageOf) {
    this.#pid = pid;
    this.#read = read;
  }

  look(point: Point): void {
    if (this.fault !== null) return;
    try {
      this.#points.set(point, this.#read(this.#pid));
    } catch (error) {
      this.fault = this.#sentence(error as NodeJS.ErrnoException);
    }
  }

  /** What was seen at a point; null where it was not looked at, or not readable. */
  at(point: Point): ProcessUsage | null {
    return this.#points.get(point) ?? null;
  }

  #sentence(error: NodeJS.ErrnoException): string {
    if (process.platform !== 'linux') {
      return 'CPU time and memory of a process (--pid) can be read on Linux only; they are left out.';
    }
    const isGone = error.code === 'ENOENT' || error.code === 'ESRCH';
    if (isGone && this.#points.size === 0) return `There is no process ${this.#pid} (--pid); its figures are left out.`;
    if (isGone) return `The process ${this.#pid} (--pid) has ended; its figures are left out.`;
    return `The process ${this.#pid} (--pid) can't be looked at: ${systemErrorText(error)}. Its figures are left out.`;
  }
}
