// Programs as tests meet them: started with their output collected, waited for by what they print, ended by their own
// process id, and bounded in time.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** What a finished program left behind. */
export interface Result {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  /** Written to standard input, which is then closed; without it standard input is empty. */
  readonly input?: string | Buffer;
  /** Milliseconds until the program is ended with SIGKILL and waiting for it fails; 20,000 by default. */
  readonly timeout?: number;
}

/** The folder that holds the project's package.json, whichever folder the tests were transpiled to. */
export const repository: string = (() => {
  let folder = import.meta.dirname;
  for (;;) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'mqtt-suite') return folder;
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('no package.json of mqtt-suite above the tests');
    folder = parent;
  }
})();

/** Path of a built command, for example built('mqtt-broker'). */
export const built = (name: string): string => path.join(repository, BIN[name] ?? `dist/${name}.js`);

/** Where the package says its commands are. */
const BIN: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(path.join(repository, 'package.json'), 'utf8'),
).bin;

/** Where a program of this name is on the PATH (or in the folder where Debian keeps servers); null where it is not. */
export function whereIs(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    if (folder !== '' && existsSync(path.join(folder, name))) return path.join(folder, name);
  }
  return null;
}

/** The reason to skip a test that needs these programs; false where all of them are installed. */
export function without(...names: string[]): string | false {
  const missing = names.filter((name) => whereIs(name) === null);
  return missing.length === 0 ? false : `${missing.join(' and ')} not installed`;
}

/** A running program whose output is collected. */
export class Program {
  stdout = '';
  stderr = '';
  /** The exit, once it came; standard output and error are complete then. */
  readonly ended: Promise<Result>;
  readonly #child: ChildProcess;
  readonly #name: string;
  #result: Result | null = null;
  #overdue = false;
  readonly #watchers = new Set<() => void>();

  constructor(command: string, args: readonly string[], options: StartOptions = {}) {
    this.#name = `${path.basename(command)} ${args.join(' ')}`;
    this.#child = spawn(command, args, {
      cwd: options.cwd ?? repository,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('the program has no pipes');
    // A program may end without reading its input.
    stdin.on('error', () => undefined);
    stdin.end(options.input ?? '');
    stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#notice();
    });
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#notice();
    });
    const limit = setTimeout(() => {
      this.#overdue = true;
      this.#child.kill('SIGKILL');
    }, options.timeout ?? 20_000);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', (error) => {
        clearTimeout(limit);
        reject(error);
      });
      this.#child.once('close', (code) => {
        clearTimeout(limit);
        this.#result = { code, stdout: this.stdout, stderr: this.stderr };
        this.#notice();
        if (this.#overdue) reject(new Error(`${this.#name} did not end in time.\n${this.#output()}`));
        else resolve(this.#result);
      });
    });
    // A failure counts where somebody waits for it; it must not end the test run by itself.
    this.ended.catch(() => undefined);
  }

  /** The process id, to read what the system knows of the program. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} did not start`);
    return this.#child.pid;
  }

  /** Resolves as soon as standard output or error holds this text, or satisfies this question. */
  seen(text: RegExp | string | ((output: string) => boolean), where: 'stdout' | 'stderr'): Promise<void> {
    const found = () => {
      if (typeof text === 'string') return this[where].includes(text);
      return typeof text === 'function' ? text(this[where]) : text.test(this[where]);
    };
    return new Promise((resolve, reject) => {
      const look = () => {
        if (found()) resolve();
        else if (this.#result === null) return;
        else reject(new Error(`${this.#name} ended without printing ${text}.\n${this.#output()}`));
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Sends a signal; a program that has ended already is left alone. */
  signal(name: NodeJS.Signals): void {
    if (this.#result === null) this.#child.kill(name);
  }

  /** Ends the program with SIGTERM and waits for it. */
  async stop(): Promise<Result> {
    this.signal('SIGTERM');
    return this.ended;
  }

  #notice(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #output(): string {
    return `--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
  }
}

/** Runs a program to its end. */
export function finish(command: string, args: readonly string[], options: StartOptions = {}): Promise<Result> {
  return new Program(command, args, options).ended;
}

/** Runs one of the project's built commands to its end, with the Node that runs the tests. */
export function finishBuilt(name: string, args: readonly string[], options: StartOptions = {}): Promise<Result> {
  return finish(process.execPath, [built(name), ...args], options);
}
