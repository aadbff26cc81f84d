// mqtt-broker -d. Node can't fork, so the command starts itself once more, detached, and waits until that one says that it
// runs or why it does not. The shell gets its prompt back with the right exit code, and errors are not lost.
import { spawn } from 'node:child_process';
import process from 'node:process';
import type { Io } from './io.ts';
import { EXIT_ERROR, EXIT_OK } from './messages.ts';

/** Marks the process that was started by startInBackground. */
const MARK = 'MQTT_BROKER_BACKGROUND';

/** Whether this process is the one in the background. */
export function isBackground(): boolean {
  return process.env[MARK] === '1' && process.send !== undefined;
}

/** Starts this command again in the background; resolves to the exit code, when that one runs or has failed. */
export function startInBackground(argv: readonly string[], io: Io): Promise<number> {
  const program = process.argv[1] ?? '';
  const child = spawn(process.execPath, [...process.execArgv, program, ...argv], {
    detached: true,
    env: { ...io.env, [MARK]: '1' },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve) => {
    let complaint = '';
    child.once('message', (text) => {
      complaint = String(text);
      if (complaint !== '') return;
      child.disconnect();
      child.unref();
      resolve(EXIT_OK);
    });
    child.once('error', (error) => {
      io.stderr.write(`Error: ${error.message}\n`);
      resolve(EXIT_ERROR);
    });
    child.once('exit', (code) => {
      if (complaint !== '') io.stderr.write(`${complaint}\n`);
      resolve(code ?? EXIT_ERROR);
    });
  });
}

/** Tells the waiting command how the start went: an empty text means well. Does nothing in the foreground. */
export function reportToForeground(text: string): void {
  if (!isBackground() || !process.connected) return;
  process.send?.(text);
  // Left open, the channel would keep the process alive.
  if (text !== '') process.disconnect();
}
