// TCP: listening sockets (one for each address family, as Mosquitto opens them) and dialling. TLS and WebSocket stand on
// the sockets that come from here.
import {
  type AddressInfo,
  createServer,
  isIP,
  isIPv6,
  type NetConnectOpts,
  connect as netConnect,
  type Server,
  type Socket,
} from 'node:net';
import { type DialAttempt, noteDial, watchAttempts } from './dial-facts.ts';
import { LentReads, lendReads } from './lent-reads.ts';
import { SocketTransport } from './socket-transport.ts';
import type { DialSpec, ListenSpec } from './specs.ts';
import type { Accept, AcceptError, Dialer, Listener, PeerInfo, TlsInfo } from './transport.ts';

/** Milliseconds for one address before the next one of a name is tried beside it. */
const NEXT_ADDRESS_MS = 1_000;
/** Attempts to find a port that is free in both families when any port will do. */
const FREE_PORT_ATTEMPTS = 10;

interface BindAddress {
  readonly host: string;
  readonly family: 4 | 6;
}

/**
 * Facts of a connected socket. Read at once: a closed socket has forgotten them. Its local port is only asked for where it is
 * not known: a system call and an object for each connection.
 */
export function peerInfo(
  socket: Socket,
  kind: PeerInfo['kind'],
  tls: TlsInfo | null,
  localPort: number = socket.localPort ?? 0,
): PeerInfo {
  return {
    address: addressOf(socket),
    port: socket.remotePort ?? 0,
    localPort,
    kind,
    tls,
  };
}

/** The address of the other end. An IPv4 peer of a dual-stack socket shows as an IPv4 address. */
export function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

async function bindAddresses(spec: ListenSpec): Promise<BindAddress[]> {
  if (spec.host === undefined) {
    const all: BindAddress[] = [
      { host: '0.0.0.0', family: 4 },
      { host: '::', family: 6 },
    ];
    return all.filter((address) => spec.family === undefined || address.family === spec.family);
  }
  // Only listeners need it: who dials leaves the name to net.connect().
  const { lookup } = await import('node:dns/promises');
  const found = await lookup(spec.host, { all: true, family: spec.family ?? 0 });
  const seen = new Map(found.map(({ address, family }) => [address, family === 6 ? 6 : 4] as const));
  return [...seen].map(([host, family]) => ({ host, family }));
}

/** Binds one server; resolves to the port. */
export function listening(server: Server, options: Parameters<Server['listen']>[0]): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo | string | null;
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** Closes listening sockets without waiting for the connections they accepted. */
export async function stopListening(servers: readonly Server[]): Promise<void> {
  for (const server of servers) server.close();
  await new Promise((resolve) => setImmediate(resolve));
}

/** The family is missing on this machine, which is no fault as long as another address could be bound. */
function familyIsMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
}

async function bindAll(
  spec: ListenSpec,
  addresses: readonly BindAddress[],
  open: () => Server,
  opened: (server: Server) => void,
): Promise<{ servers: Server[]; port: number }> {
  const servers: Server[] = [];
  let port = spec.port;
  let missing: unknown = new Error(`${spec.host} has no address to listen on`);
  try {
    for (const { host, family } of addresses) {
      const server = open();
      try {
        port = await listening(server, { host, port, backlog: spec.backlog, ipv6Only: family === 6 });
        opened(server);
        servers.push(server);
      } catch (error) {
        if (!familyIsMissing(error)) throw error;
        missing = error;
      }
    }
  } catch (error) {
    await stopListening(servers);
    throw error;
  }
  if (servers.length === 0) throw missing;
  return { servers, port };
}

/**
 * Listens and hands over raw sockets. Rejects with the system's error when an address cannot be bound; a machine without
 * IPv6 (or without IPv4) gets the other family alone.
 * @param opened told of each server once it listens
 */
export async function listenSockets(
  spec: ListenSpec,
  onSocket: (socket: Socket) => void,
  onError: AcceptError,
  opened: (server: Server) => void = () => undefined,
): Promise<Listener> {
  const open = (): Server => {
    const server = createServer({ noDelay: spec.noDelay ?? true }, onSocket);
    server.on('error', (error) => {
      if (server.listening) onError(error, '', 0);
    });
    return server;
  };
  const addresses = await bindAddresses(spec);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { servers, port } = await bindAll(spec, addresses, open, opened);
      return { port, close: () => stopListening(servers) };
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || spec.port !== 0 || attempt === FREE_PORT_ATTEMPTS) throw error;
    }
  }
}

/** Listens for plain TCP connections. */
export function listenTcp(spec: ListenSpec, accept: Accept, onError: AcceptError): Promise<Listener> {
  // A port that the system chose is asked for at each socket.
  const localPort = spec.port === 0 ? undefined : spec.port;
  const take = (socket: Socket, reads: LentReads | null): void =>
    accept(new SocketTransport(socket, peerInfo(socket, 'tcp', null, localPort), reads));
  return listenSockets(
    spec,
    (socket) => take(socket, null),
    onError,
    (server) => lendReads(server, spec.noDelay ?? true, take),
  );
}

/**
 * The options of net.connect and tls.connect for a place; a name with several addresses is tried address by address. Throws,
 * as a name that is not known would have it, for a host that is no name at all: to Node that would be this machine.
 */
export function connectOptions(spec: DialSpec): NetConnectOpts & { host: string; port: number } {
  if (spec.host === '') throw Object.assign(new Error('there is no host to connect to'), { code: 'ENOTFOUND' });
  const local = spec.localAddress;
  if (local !== undefined && isIP(spec.host) !== 0 && isIP(spec.host) !== isIP(local)) {
    throw Object.assign(new Error('host and local address are of two families'), { code: 'EAFNOSUPPORT' });
  }
  return {
    host: spec.host,
    port: spec.port,
    noDelay: spec.noDelay ?? true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    ...(local === undefined ? {} : { localAddress: local, family: isIPv6(local) ? 6 : isIP(local) === 4 ? 4 : 0 }),
  };
}

/**
 * Waits until a socket is connected. Rejects with the socket's error (for a name with several addresses: that of the
 * first one) or, given up through the signal, with its reason; the socket is closed then.
 */
export function whenConnected<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const abandon = (): void => fail(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    const onClose = (): void => fail(new Error('The connection was closed before it was established'));
    const settle = (): void => {
      signal.removeEventListener('abort', abandon);
      socket.off(event, done);
      socket.off('close', onClose);
    };
    const done = (): void => {
      settle();
      socket.off('error', fail);
      resolve(socket);
    };
    // The error listener stays on a failed socket, so that a second error of it harms nobody.
    const fail = (error: Error): void => {
      settle();
      socket.destroy();
      reject(error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error);
    };
    socket.once(event, done);
    socket.on('error', fail);
    socket.once('close', onClose);
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
  });
}

/**
 * A connected plain socket. Its error knows which addresses were tried (dial-facts.ts).
 * @param reads where the socket's bytes go, null for the socket's stream (which it is with a proxy)
 */
export async function dialSocket(spec: DialSpec, signal: AbortSignal, reads: LentReads | null = null): Promise<Socket> {
  if (spec.proxy !== undefined) {
    const { dialThroughProxy } = await import('./socks.ts');
    return dialThroughProxy(spec, spec.proxy, (proxy) => dialSocket(proxy, signal), signal);
  }
  const options = { ...connectOptions(spec), ...(reads === null ? {} : { onread: reads.onread }) };
  const attempts: DialAttempt[] = [];
  try {
    if (spec.host === 'localhost' && spec.localAddress === undefined) {
      const socket = await dialLoopback(options, signal, attempts);
      if (socket !== null) return socket;
    }
    return await whenConnected(watchAttempts(netConnect(options), attempts), 'connect', signal);
  } catch (error) {
    noteDial(error, 'connect', attempts);
    throw error;
  }
}

/**
 * The name localhost always means this machine (RFC 6761 section 6.3). Looking it up costs a process 7 ms the first time:
 * Node compiles patterns for addresses and starts threads. So the usual address is dialled as it is, and whenever that
 * does not work (null), the name is looked up like any other.
 */
async function dialLoopback(
  options: NetConnectOpts,
  signal: AbortSignal,
  attempts: DialAttempt[],
): Promise<Socket | null> {
  try {
    const socket = watchAttempts(netConnect({ ...options, host: '127.0.0.1' }), attempts);
    return await whenConnected(socket, 'connect', signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

/** Dials plain TCP. */
export function tcpDialer(spec: DialSpec): Dialer {
  return {
    async dial(signal) {
      const reads = spec.proxy === undefined ? new LentReads(true) : null;
      const socket = await dialSocket(spec, signal, reads);
      return new SocketTransport(socket, peerInfo(socket, 'tcp', null), reads);
    },
  };
}
