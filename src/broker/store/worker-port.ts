// The line to the thread that writes the log.
import { Worker } from 'node:worker_threads';
import type { LogPort, LogReply, LogRequest } from './log-messages.ts';

/** Starts the thread. `onLost` is told if it ends by itself, which only a bug or a lack of memory makes it do. */
export function startWorker(folder: string, salt: number, onLost: (error: Error) => void): LogPort {
  const worker = new Worker(new URL('./log-worker.js', import.meta.url), {
    workerData: { folder, salt },
    // Nothing of what the broker was started with is for this thread.
    argv: [],
    execArgv: [],
  });
  let isEnding = false;
  const port: LogPort = {
    onReply: null,
    send: (request: LogRequest) => worker.postMessage(request, request.kind === 'write' ? [request.bytes] : []),
    end: () => {
      isEnding = true;
      void worker.terminate();
    },
  };
  worker.on('message', (reply: LogReply) => port.onReply?.(reply));
  worker.on('error', onLost);
  worker.on('exit', (code) => {
    if (!isEnding) onLost(new Error(`the thread that writes the store ended by itself (${code})`));
  });
  return port;
}
