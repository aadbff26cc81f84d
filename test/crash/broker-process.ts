// A real broker process: started on a folder, and ended by any means.
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';

/** Characters of its output that are kept. */
const KEPT = 40_000;

/** Brokers that run, so that none outlives this process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class BrokerProcess {
  /** What it printed last. */
  output = '';
  /** Its lines of errors and warnings. */
  readonly complaints: string[] = [];
  isOver = false;
  code: number | null = null;
  readonly ended: Promise<void>;
  readonly pid: number;
  private readonly child: ChildProcess;

  constructor(program: string, configFile: string, folder: string, env: Record<string, string>) {
    const [command, first] = program.endsWith('.js') ? [process.execPath, [program]] : [program, []];
    this.child = spawn(command, [...first, '-c', configFile], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { child } = this;
    running.add(child);
    this.pid = child.pid ?? 0;
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-KEPT);
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        this.complaints.push(...lines.filter((line) => /\b(Error|Warning)\b/.test(line)));
      });
    }
    this.ended = new Promise((resolve) => {
      const finish = (code: number | null): void => {
        running.delete(child);
        this.isOver = true;
        this.code = code;
        resolve();
      };
      child.once('error', (error) => {
        this.output += String(error);
        finish(null);
      });
      child.once('close', finish);
    });
  }

  signal(name: NodeJS.Signals): void {
    if (!this.isOver) this.child.kill(name);
  }

  /** Whether it ended within so many milliseconds; it is killed if not. */
  async endsWithin(limitMs: number): Promise<boolean> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.signal('SIGKILL');
    }, limitMs);
    await this.ended;
    clearTimeout(timer);
    return !isLate;
  }
}
