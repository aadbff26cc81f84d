// Accepted sockets that read into one buffer of the process. Left to itself Node allocates 64 KiB for every read, cuts them
// to what came, and passes the chunk through a stream: where each message comes in a segment of its own that is a quarter
// of what the message costs. Node has the better way (`onread`) for sockets that are dialled; one that is accepted gets it by
// being made here, from the handle that the listening socket accepted. Where a version of Node has no such
// handle its own sockets are taken, and everything is as it would be without this file.
import { type ConnectOpts, type Server, Socket, type SocketConstructorOpts } from 'node:net';

/** Largest read; what Node's own sockets read at a time. */
const READ_SIZE = 65_536;

/** Who gets a socket's bytes. */
interface LentReceiver {
  /** Takes a chunk that is lent for the time of the call; false stops reading until the socket is resumed. */
  takeLent(chunk: Buffer): boolean;
}

/** The reads of one socket. */
export class LentReads {
  receiver: LentReceiver | null;
  /** Whether what is handed over is the receiver's to keep. */
  readonly isCopied: boolean;

  /** @param isCopied whether the receiver gets copies, which it may keep: who dials hands out views of what comes */
  constructor(isCopied: boolean) {
    this.receiver = null;
    this.isCopied = isCopied;
  }

  /** Options of a socket that reads for this receiver. */
  get onread(): { buffer: Buffer; callback: (count: number) => boolean } {
    return {
      buffer: shared,
      callback: (count) => this.receiver?.takeLent(this.chunk(count)) === true,
    };
  }

  private chunk(count: number): Buffer {
    const chunk = count === READ_SIZE ? shared : shared.subarray(0, count);
    return this.isCopied ? Buffer.from(chunk) : chunk;
  }
}

const shared: Buffer = Buffer.allocUnsafeSlow(READ_SIZE);

/** What is used of the undocumented object below a listening socket. */
interface ListeningHandle {
  onconnection: (this: unknown, ...args: unknown[]) => unknown;
}

function isListeningHandle(handle: unknown): handle is ListeningHandle {
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'onconnection') === 'function';
}

/** Whether a socket can be made of what was accepted, and reads into a given buffer then. */
function canLend(accepted: unknown): boolean {
  return typeof accepted === 'object' && accepted !== null && 'useUserBuffer' in accepted && 'readStart' in accepted;
}

/**
 * Has a server that listens accept sockets with lent reads, from now on. They read at once, so `onSocket` must set
 * a receiver, and don't count among the server's connections. Its own 'connection' event still comes for what can't be had that way.
 */
export function lendReads(
  server: Server,
  noDelay: boolean,
  onSocket: (socket: Socket, reads: LentReads) => void,
): void {
  const handle: unknown = Reflect.get(server, '_handle');
  if (!isListeningHandle(handle)) return;
  const { onconnection } = handle;
  handle.onconnection = function (...args) {
    const [status, accepted] = args;
    if (status !== 0 || !canLend(accepted)) return Reflect.apply(onconnection, this, args);
    const reads = new LentReads(false);
    const options: SocketConstructorOpts & ConnectOpts & { handle: unknown } = {
      handle: accepted,
      onread: reads.onread,
    };
    const socket = new Socket(options);
    if (noDelay) socket.setNoDelay(true);
    onSocket(socket, reads);
    return undefined;
  };
}
