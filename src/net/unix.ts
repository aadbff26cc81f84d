// Unix domain sockets: listening on a path and dialling one.
import { createServer, connect as netConnect, type Socket } from 'node:net';
import { noteDial } from './dial-facts.ts';
import { LentReads, lendReads } from './lent-reads.ts';
import { SocketTransport } from './socket-transport.ts';
import type { DialSpec, ListenSpec } from './specs.ts';
import { listening, stopListening, whenConnected } from './tcp.ts';
import type { Accept, AcceptError, Dialer, Listener, Transport } from './transport.ts';

/** Most bytes of a path, as the system has it in a structure: of a longer one Node would take the beginning. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103;

const transportOf = (socket: Socket, path: string, reads: LentReads | null): Transport =>
  new SocketTransport(socket, { address: path, port: 0, localPort: 0, kind: 'unix', tls: null }, reads);

/** Listens on `spec.path`. Rejects with the system's error; the path is removed on close. */
export async function listenUnix(spec: ListenSpec, accept: Accept, onError: AcceptError): Promise<Listener> {
  const path = spec.path ?? '';
  const server = createServer((socket) => accept(transportOf(socket, path, null)));
  server.on('error', (error) => {
    if (server.listening) onError(error, path, 0);
  });
  await listening(server, { path, backlog: spec.backlog });
  lendReads(server, false, (socket, reads) => accept(transportOf(socket, path, reads)));
  return { port: 0, close: () => stopListening([server]) };
}

/** Dials the path in `spec.host`. */
export function unixDialer(spec: DialSpec): Dialer {
  return {
    async dial(signal) {
      if (Buffer.byteLength(spec.host) > LONGEST_PATH) {
        throw Object.assign(new Error('the path of the socket is too long'), { code: 'ENAMETOOLONG' });
      }
      const reads = new LentReads(true);
      const socket = netConnect({ path: spec.host, onread: reads.onread });
      try {
        return transportOf(await whenConnected(socket, 'connect', signal), spec.host, reads);
      } catch (error) {
        noteDial(error, 'connect', []);
        throw error;
      }
    },
  };
}
