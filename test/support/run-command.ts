// Runs a command of the client tools within the test process: no start-up time, and the test can feed it bit by bit.
import { PassThrough } from 'node:stream';
import type { Io } from '../../src/cli/io.ts';

type Main = (argv: readonly string[], io: Io) => Promise<number>;

/** A command that runs. */
export class Running {
  readonly stdin = new PassThrough();
  stdout = '';
  stderr = '';
  /** The exit code. */
  readonly code: Promise<number>;
  readonly #watchers = new Set<() => void>();

  constructor(main: Main, argv: readonly string[]) {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      for (const watcher of this.#watchers) watcher();
    });
    stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      for (const watcher of this.#watchers) watcher();
    });
    this.code = main(argv, { stdin: this.stdin, stdout, stderr, env: {} } as unknown as Io);
  }

  /** Resolves as soon as standard output or error holds this. */
  seen(text: string, where: 'stdout' | 'stderr'): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this[where].includes(text)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Exit code and outputs, once it has ended. */
  async result(): Promise<{ code: number; stdout: string; stderr: string }> {
    const code = await this.code;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }
}

/** Runs a command to its end with this on standard input. */
export function runCommand(
  main: Main,
  argv: readonly string[],
  stdin: string | Buffer = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  const running = new Running(main, argv);
  running.stdin.end(stdin);
  return running.result();
}
