// SOCKS5 (RFC 1928): a connected socket to the broker by way of a proxy. It wraps the dialling of TCP, so that TLS and
// WebSocket stand on it as they stand on a direct connection, with the broker's name.
import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { SocksClient } from 'socks';
import { addressText } from '../util/address-text.ts';
import { systemErrorText } from '../util/system-error.ts';
import { noteDial } from './dial-facts.ts';
import { LookupError } from './lookup-error.ts';
import { ProxyError, type ProxyFault } from './proxy-error.ts';
import type { DialSpec, ProxySpec } from './specs.ts';

/** Most bytes of a user name or a password (RFC 1929 section 2). */
const LONGEST_CREDENTIAL = 255;

/** THE table: what the library says → what failed, and how the sentence about it goes on. */
const ANSWERS: readonly (readonly [RegExp, ProxyFault, string])[] = [
  [/ - Failure$/, 'protocol', 'failed to connect'],
  [/ - NotAllowed$/, 'rules', 'does not allow a connection'],
  [/ - NetworkUnreachable$/, 'target', 'finds the network unreachable on the way'],
  [/ - HostUnreachable$/, 'target', 'finds no way or no address for the connection'],
  [/ - ConnectionRefused$/, 'target', 'was refused the connection'],
  [/ - TTLExpired$/, 'protocol', 'got no answer in time for the connection'],
  [/ - CommandNotSupported$/, 'protocol', 'makes no connections'],
  [/ - AddressNotSupported$/, 'protocol', 'does not take this kind of address'],
  [/ - undefined$/, 'protocol', 'gave an answer that SOCKS5 does not have, asked to connect'],
  [/Authentication failed/, 'login', 'refused the user name and password, asked to connect'],
  [/no accepted authentication|unknown authentication/, 'method', 'takes no login of the kind offered'],
  [/Socket closed/, 'protocol', 'closed the connection without an answer, asked to connect'],
  [/invalid socks version/, 'protocol', 'speaks no SOCKS5, asked to connect'],
  [/timed out/, 'protocol', 'did not answer in time, asked to connect'],
];

/** Dials a place directly. */
type Direct = (spec: DialSpec) => Promise<Socket>;

/**
 * A socket that the proxy has connected to the broker. Rejects with ProxyError, or with the signal's reason; names are left
 * to the proxy to look up unless it says otherwise.
 * @param direct dials the proxy, and gives up by the same signal
 */
export async function dialThroughProxy(
  spec: DialSpec,
  proxy: ProxySpec,
  direct: Direct,
  signal: AbortSignal,
): Promise<Socket> {
  checkCredentials(proxy);
  const connect = async (host: string): Promise<Socket> =>
    connectThrough(await dialProxy(spec, proxy, direct, signal), { host, port: spec.port }, proxy, signal);
  if (proxy.resolvesHere !== true || isIP(spec.host) !== 0) return connect(spec.host);
  const addresses = await lookup(spec.host, { all: true }).catch((error: Error) => {
    throw new LookupError(`There is no host "${spec.host}" for the proxy to connect to.`, false, error);
  });
  let failure: unknown = null;
  for (const { address } of addresses) {
    try {
      return await connect(address);
    } catch (error) {
      failure ??= error;
      // Another address makes a difference only where the proxy did not get through to this one.
      if (!(error instanceof ProxyError) || (error.fault !== 'target' && error.fault !== 'protocol')) throw error;
    }
  }
  throw failure;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

async function connectThrough(socket: Socket, target: Target, proxy: ProxySpec, signal: AbortSignal): Promise<Socket> {
  const stop = (): void => void socket.destroy();
  // The library takes its own listener away before a late error of the socket can come.
  socket.on('error', stop);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await SocksClient.createConnection({
      command: 'connect',
      destination: target,
      existing_socket: socket,
      proxy: {
        type: 5,
        host: proxy.host,
        port: proxy.port,
        ...(proxy.username === undefined ? {} : { userId: proxy.username, password: proxy.password ?? '' }),
      },
    });
    if (signal.aborted) throw signal.reason;
    socket.off('error', stop);
    return socket;
  } catch (error) {
    socket.destroy();
    if (signal.aborted) {
      noteDial(signal.reason, 'proxy', []);
      throw signal.reason;
    }
    throw explained(error, target, proxy);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function dialProxy(spec: DialSpec, proxy: ProxySpec, direct: Direct, signal: AbortSignal): Promise<Socket> {
  const { noDelay, localAddress } = spec;
  const own = {
    ...(noDelay === undefined ? {} : { noDelay }),
    ...(localAddress === undefined ? {} : { localAddress }),
  };
  try {
    return await direct({ kind: 'tcp', host: proxy.host, port: proxy.port, ...own });
  } catch (error) {
    if (signal.aborted || !(error instanceof Error)) throw error;
    const text = `The SOCKS proxy ${placeOf(proxy)} cannot be reached: ${systemErrorText(error)}.`;
    throw new ProxyError('unreachable', text, error);
  }
}

const placeOf = ({ host, port }: Target): string => addressText(host, port);

/** The library's error holds the password among its options: only its words are taken. */
function explained(error: unknown, target: Target, proxy: ProxySpec): ProxyError {
  const words = error instanceof Error ? error.message : String(error);
  const [, fault, doing] = ANSWERS.find(([pattern]) => pattern.test(words)) ?? [
    null,
    'protocol' as const,
    `broke the rules of SOCKS5 (${words}), asked to connect`,
  ];
  const end = fault === 'method' ? offered(proxy) : ` to ${placeOf(target)}`;
  return new ProxyError(fault, `The SOCKS proxy ${placeOf(proxy)} ${doing}${end}.`);
}

const offered = ({ username }: ProxySpec): string =>
  username === undefined
    ? ': it may want a user name and password (--proxy socks5h://USER:PASSWORD@HOST)'
    : ' (none, or user name and password)';

/** The protocol has one byte for a length, and the library does not look. */
function checkCredentials({ username = '', password = '' }: ProxySpec): void {
  for (const text of [username, password]) {
    if (Buffer.byteLength(text) <= LONGEST_CREDENTIAL) continue;
    throw new ProxyError('login', `A user name or password for a SOCKS proxy has at most ${LONGEST_CREDENTIAL} bytes.`);
  }
}
