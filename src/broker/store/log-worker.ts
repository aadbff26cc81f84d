// The thread that writes the log. What it may do to the disk is asked for by the broker's thread; nothing of it waits in
// libuv's pool, where a few password checks would hold it up.
import { parentPort, workerData } from 'node:worker_threads';
import { realFiles } from './files.ts';
import type { LogReply, LogRequest } from './log-messages.ts';
import { LogServer } from './log-server.ts';

const { folder, salt } = workerData as { folder: string; salt: number };
const port = parentPort!;
const server = new LogServer(folder, salt, realFiles, (reply: LogReply, transfer) => {
  port.postMessage(reply, [...transfer]);
});
port.on('message', (request: LogRequest) => server.handle(request));
