// A small SOCKS5 server (RFC 1928, RFC 1929) that connects clients on, or answers as a test wants it to.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** How the server behaves. */
export interface SocksOptions {
  /** Clients have to log in with these. */
  readonly login?: { readonly username: string; readonly password: string };
  /** Answers every request with this code instead of connecting. */
  readonly reply?: number;
  /** Sends these bytes to whoever connects, and closes. */
  readonly nonsense?: string;
  /** Where names lead to; the addresses of hosts are taken as they are. */
  readonly names?: Readonly<Record<string, string>>;
}

/** What was asked of the server. */
export interface SocksServer {
  readonly port: number;
  /** Targets as `name:HOST:PORT` or `address:HOST:PORT`. */
  readonly asked: string[];
  /** Credentials that came, as `NAME:PASSWORD`. */
  readonly logins: string[];
  /** Cuts every connection. */
  cut(): void;
}

/** Starts a SOCKS5 server on a free port of the loopback address; it is gone when the test is over. */
export async function socksServer(context: TestContext, options: SocksOptions = {}): Promise<SocksServer> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const asked: string[] = [];
  const logins: string[] = [];
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((socket) => {
    keep(socket);
    serve(socket, options, { asked, logins }, keep).catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked, logins, cut };
}

/** Reads exact numbers of bytes. */
function reader(socket: Socket): (count: number) => Promise<Buffer> {
  return async (count) => {
    for (;;) {
      const bytes = socket.read(count) as Buffer | null;
      if (bytes !== null) return bytes;
      if (socket.readableEnded || socket.destroyed) throw new Error('the client left');
      await once(socket, 'readable');
    }
  };
}

async function serve(
  socket: Socket,
  options: SocksOptions,
  seen: { asked: string[]; logins: string[] },
  keep: (socket: Socket) => void,
): Promise<void> {
  if (options.nonsense !== undefined) {
    socket.end(options.nonsense);
    return;
  }
  const read = reader(socket);
  const [, count = 0] = await read(2);
  const methods = [...(await read(count))];
  const method = options.login === undefined ? 0 : 2;
  if (!methods.includes(method)) {
    socket.end(Buffer.from([5, 0xff]));
    return;
  }
  socket.write(Buffer.from([5, method]));
  if (options.login !== undefined) {
    const username = (await read((await read(2))[1] ?? 0)).toString();
    const password = (await read((await read(1))[0] ?? 0)).toString();
    seen.logins.push(`${username}:${password}`);
    const isRight = username === options.login.username && password === options.login.password;
    socket.write(Buffer.from([1, isRight ? 0 : 1]));
    if (!isRight) return;
  }
  const kind = (await read(4))[3];
  const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await read(1))[0] ?? 0);
  const bytes = await read(length);
  const host = kind === 3 ? bytes.toString() : kind === 1 ? [...bytes].join('.') : bytes.toString('hex');
  const port = (await read(2)).readUInt16BE();
  seen.asked.push(`${kind === 3 ? 'name' : 'address'}:${host}:${port}`);
  const answer = (code: number): boolean => socket.write(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]));
  if (options.reply !== undefined) {
    answer(options.reply);
    return;
  }
  const upstream = connect({ host: options.names?.[host] ?? host, port });
  keep(upstream);
  upstream.once('error', () => answer(5));
  upstream.once('connect', () => {
    answer(0);
    socket.pipe(upstream).pipe(socket);
  });
}
