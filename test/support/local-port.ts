// The log's worker in the same thread, one request at a time when the test says so.
import type { Files } from '../../src/broker/store/files.ts';
import type { LogPort, LogReply, LogRequest } from '../../src/broker/store/log-messages.ts';
import { LogServer } from '../../src/broker/store/log-server.ts';

/** A port whose other end is driven by step(). */
export class LocalPort implements LogPort {
  onReply: ((reply: LogReply) => void) | null = null;
  isEnded = false;
  private readonly requests: LogRequest[] = [];
  private readonly replies: LogReply[] = [];
  private readonly server: LogServer;

  constructor(folder: string, salt: number, files: Files) {
    this.server = new LogServer(folder, salt, files, (reply) => this.replies.push(reply));
  }

  send(request: LogRequest): void {
    // The buffer changes hands: it is empty for the sender from now on.
    this.requests.push(request.kind === 'write' ? structuredClone(request, { transfer: [request.bytes] }) : request);
  }

  end(): void {
    this.isEnded = true;
  }

  get isIdle(): boolean {
    return this.requests.length === 0 && this.replies.length === 0;
  }

  /** Carries out the oldest request without telling of it; false where there is none. */
  work(): boolean {
    const request = this.requests.shift();
    if (request === undefined) return false;
    this.server.handle(request);
    return true;
  }

  /** Passes the oldest reply on; false where there is none. */
  tell(): boolean {
    const reply = this.replies.shift();
    if (reply === undefined) return false;
    this.onReply?.(reply);
    return true;
  }

  /** Until nothing moves any more. */
  settle(): void {
    while (this.work() || this.tell());
  }
}
