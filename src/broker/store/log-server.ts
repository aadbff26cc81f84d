// The worker's side of the log, apart from its thread: requests in, replies out, one after the other.
import type { Files } from './files.ts';
import type { LogReply, LogRequest } from './log-messages.ts';
import { stretchesOf } from './segment.ts';
import { SegmentWriter } from './segment-writer.ts';

/** Carries out what the broker's thread asks for. */
export class LogServer {
  private readonly writer: SegmentWriter;
  private readonly salt: number;
  private readonly reply: (reply: LogReply, transfer: readonly ArrayBuffer[]) => void;
  /** The group that could not be written. */
  private failed: (LogRequest & { readonly kind: 'write' }) | null;

  constructor(
    folder: string,
    salt: number,
    files: Files,
    reply: (reply: LogReply, transfer: readonly ArrayBuffer[]) => void,
  ) {
    this.writer = new SegmentWriter(folder, salt, files);
    this.salt = salt;
    this.reply = reply;
    this.failed = null;
  }

  handle(request: LogRequest): void {
    switch (request.kind) {
      case 'write':
        this.write(request);
        break;
      case 'retry':
        if (this.failed !== null) this.write({ ...this.failed, segment: request.segment });
        break;
      case 'sync':
        this.attempt('sync', () => {
          this.writer.sync();
          return { kind: 'synced' };
        });
        break;
      case 'read':
        this.read(request.segment);
        break;
      case 'remove':
        this.attempt('remove', () => {
          this.writer.remove(request.segment);
          return { kind: 'removed', segment: request.segment };
        });
        break;
      default:
        this.attempt('close', () => {
          this.writer.close();
          return { kind: 'closed' };
        });
    }
  }

  private write(request: LogRequest & { readonly kind: 'write' }): void {
    const { group, segment, bytes, length, isSynced } = request;
    const start = performance.now();
    try {
      this.writer.write(segment, group, new Uint8Array(bytes, 0, length), isSynced);
    } catch (error) {
      this.failed = request;
      this.reply(failure('write', error), []);
      return;
    }
    this.failed = null;
    this.reply({ kind: 'written', group, spare: bytes, took: performance.now() - start }, [bytes]);
  }

  private read(segment: number): void {
    try {
      const read = this.writer.read(segment);
      // The file's bytes are handed over, so they must not lie in a buffer that others use too.
      const whole = read.byteOffset === 0 && read.length === read.buffer.byteLength ? read : Uint8Array.from(read);
      const records = stretchesOf(read, this.salt).flatMap((stretch) => stretch.records);
      const bytes = whole.buffer as ArrayBuffer;
      this.reply({ kind: 'content', segment, bytes, records }, [bytes]);
    } catch (error) {
      this.reply(failure('read', error), []);
    }
  }

  private attempt(what: 'sync' | 'remove' | 'close', action: () => LogReply): void {
    let reply: LogReply;
    try {
      reply = action();
    } catch (error) {
      reply = failure(what, error);
    }
    this.reply(reply, []);
  }
}

function failure(what: 'write' | 'sync' | 'read' | 'remove' | 'close', error: unknown): LogReply {
  const { message, code } = error as NodeJS.ErrnoException;
  return { kind: 'failed', what, error: message, code: code ?? '' };
}
