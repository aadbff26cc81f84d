// TLS on top of TCP. The listening sockets are plain ones; a tls.Server that never listens itself takes each connection
// through its handshake, so new certificates are a new tls.Server and connections that stand are not touched.
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  createServer,
  type Server,
  type TLSSocket,
  type TlsOptions,
  connect as tlsConnect,
} from 'node:tls';
import { noteCertificates } from './certificate-notes.ts';
import { type DialAttempt, noteDial, watchAttempts } from './dial-facts.ts';
import { pskError, pskOptions } from './psk.ts';
import { SocketTransport } from './socket-transport.ts';
import type { DialSpec, ListenSpec, TlsDialOptions, TlsListenOptions } from './specs.ts';
import { addressOf, connectOptions, dialSocket, listenSockets, peerInfo, whenConnected } from './tcp.ts';
import { certificateFacts, chainOf } from './tls-certificates.ts';
import { noteHandshake } from './tls-errors.ts';
import type { Accept, AcceptError, Admit, Dialer, Listener, PeerInfo, TlsInfo } from './transport.ts';
import { certificateName } from './x509-name.ts';

/** Milliseconds for a handshake unless the listener says otherwise. */
const HANDSHAKE_MS = 30_000;

/** A listener whose certificates can be replaced. */
export interface TlsListener extends Listener {
  /** Takes new certificates and rules for connections from now on. Throws, and keeps the old ones, if they do not work. */
  update(options: TlsListenOptions): void;
}

const listOf = <T>(value: T | readonly T[]): T[] => (Array.isArray(value) ? [...value] : [value as T]);

function serverOptions(options: TlsListenOptions): TlsOptions {
  return {
    cert: options.cert,
    key: options.key,
    // Without a list of ours, Node would trust every public authority to vouch for clients.
    ca: options.ca === undefined ? [] : listOf(options.ca),
    requestCert: options.requestCertificate ?? false,
    rejectUnauthorized: options.requireCertificate ?? false,
    handshakeTimeout: options.handshakeTimeoutMs ?? HANDSHAKE_MS,
    minVersion: options.minVersion ?? 'TLSv1.2',
    ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
    ...(options.crl === undefined ? {} : { crl: listOf(options.crl) }),
    ...(options.ciphers === undefined ? {} : { ciphers: options.ciphers }),
    ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
    ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
  };
}

/** Facts of a finished handshake. A certificate that was not verified names nobody. */
function tlsInfo(socket: TLSSocket): TlsInfo {
  const certificate = socket.authorized ? socket.getPeerCertificate().raw : undefined;
  const name = certificate === undefined ? { commonName: null, subject: null } : certificateName(certificate);
  return { version: socket.getProtocol() ?? '', cipher: socket.getCipher().name, ...name };
}

/** Node drops a client whose certificate does not verify as if it had hung up; the reason is to be had from the socket. */
function verdictOn(socket: TLSSocket): Error | null {
  // A string, whatever the declared type says; null while nothing was judged.
  const code = socket.authorizationError as unknown;
  if (typeof code !== 'string') return null;
  return Object.assign(new Error(`the client's certificate does not verify: ${code}`), { code });
}

/** The raw connection below a TLS socket, which only an undocumented property names; itself where there is none. */
function underlying(socket: TLSSocket): object {
  const raw: unknown = Reflect.get(socket, '_parent');
  return typeof raw === 'object' && raw !== null ? raw : socket;
}

/** Takes raw connections through a TLS handshake with the options of the moment. */
class Handshakes {
  private server: Server;
  private readonly onSecure: (socket: TLSSocket) => void;
  private readonly onError: AcceptError;
  /** Where raw connections come from: a socket that Node has closed for its certificate has forgotten it. */
  private readonly origins: WeakMap<object, PeerInfo>;

  constructor(options: TlsListenOptions, onSecure: (socket: TLSSocket) => void, onError: AcceptError) {
    this.onSecure = onSecure;
    this.onError = onError;
    this.origins = new WeakMap();
    this.server = this.create(options);
  }

  update(options: TlsListenOptions): void {
    this.server = this.create(options);
  }

  begin(socket: Socket): void {
    this.origins.set(socket, peerInfo(socket, 'tls', null));
    this.server.emit('connection', socket);
  }

  private create(options: TlsListenOptions): Server {
    const server = createServer(serverOptions(options), this.onSecure);
    server.on('tlsClientError', (error, socket) => {
      const { address, port } = this.origins.get(underlying(socket)) ?? peerInfo(socket, 'tls', null);
      this.onError(verdictOn(socket) ?? error, address, port);
      socket.destroy();
    });
    if (options.keylog !== undefined) server.on('keylog', options.keylog);
    return server;
  }
}

/** What tells the connections of one listener apart, before and after the handshake. */
const originOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`;

/**
 * Listens and hands over sockets whose handshake is done. Rejects with OpenSSL's error for certificates or keys that do not
 * work, else as listenSockets.
 */
export async function listenSecureSockets(
  spec: ListenSpec,
  onSocket: (socket: TLSSocket, tls: TlsInfo) => void,
  onError: AcceptError,
  admit: Admit,
): Promise<TlsListener> {
  if (spec.tls === undefined) throw new Error('a TLS listener needs a certificate and a key');
  /** Connections whose handshake is under way, by where they come from; they go when the listener goes. */
  const pending = new Map<string, Socket>();
  const handshakes = new Handshakes(
    spec.tls,
    (socket) => {
      pending.delete(originOf(socket));
      onSocket(socket, tlsInfo(socket));
    },
    onError,
  );
  const begin = (socket: Socket): void => {
    // Asked for now, the address is still known when the handshake fails and the socket is gone.
    if (socket.remoteAddress === undefined || !admit(addressOf(socket))) {
      socket.destroy();
      return;
    }
    const origin = originOf(socket);
    pending.set(origin, socket);
    socket.once('close', () => {
      if (pending.get(origin) === socket) pending.delete(origin);
    });
    handshakes.begin(socket);
  };
  const listener = await listenSockets(spec, begin, onError);
  return {
    port: listener.port,
    async close() {
      await listener.close();
      for (const socket of [...pending.values()]) socket.destroy();
    },
    update: (options) => handshakes.update(options),
  };
}

/** Listens for TLS connections. */
export function listenTls(spec: ListenSpec, accept: Accept, onError: AcceptError, admit: Admit): Promise<TlsListener> {
  return listenSecureSockets(
    spec,
    (socket, tls) => accept(new SocketTransport(socket, peerInfo(socket, 'tls', tls))),
    onError,
    admit,
  );
}

const certificateOptions = (options: TlsDialOptions): ConnectionOptions => ({
  rejectUnauthorized: options.verify ?? true,
  ...(options.ca === undefined || options.ca === null ? {} : { ca: listOf(options.ca) }),
  ...(options.cert === undefined ? {} : { cert: options.cert }),
  ...(options.key === undefined ? {} : { key: options.key }),
  ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
});

/**
 * A socket whose handshake is done. Rejects with Node's or OpenSSL's error, which explainTlsError() puts into words; an
 * error about the server's certificate knows that certificate, and each one the addresses that were tried.
 */
export async function dialSecureSocket(spec: DialSpec, signal: AbortSignal): Promise<TLSSocket> {
  const options = spec.tls ?? {};
  // Node ends the process over an empty name.
  const alpn = (options.alpn ?? []).filter((name) => name !== '');
  const way = spec.proxy === undefined ? connectOptions(spec) : { socket: await dialSocket(spec, signal) };
  const socket = tlsConnect({
    ...way,
    host: spec.host,
    // An address is no server name [RFC 6066 section 3]; it is compared with the certificate all the same.
    servername: options.servername ?? (isIP(spec.host) === 0 ? spec.host : ''),
    minVersion: options.minVersion ?? 'TLSv1.2',
    ...(options.psk === undefined ? certificateOptions(options) : pskOptions(options.psk)),
    ...(options.ciphers === undefined ? {} : { ciphers: options.ciphers }),
    ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
    ...(alpn.length === 0 ? {} : { ALPNProtocols: alpn }),
  });
  if (options.keylog !== undefined) socket.on('keylog', options.keylog);
  // 'secure' comes before Node judges the certificate; afterwards the socket is closed and the certificate gone.
  // (getPeerX509Certificate() would not do: after it, Node 20 finds no certificate to compare the host name with.)
  let chain: Buffer[] = [];
  let isConnected = spec.proxy !== undefined;
  const attempts: DialAttempt[] = [];
  watchAttempts(socket, attempts);
  socket.once('connect', () => {
    isConnected = true;
  });
  socket.prependOnceListener('secure', () => {
    chain = chainOf(socket.getPeerCertificate(true));
  });
  try {
    return await whenConnected(socket, 'secureConnect', signal);
  } catch (error) {
    const failure = error instanceof Error && options.psk !== undefined ? pskError(error, chain.length > 0) : error;
    if (failure instanceof Error && chain.length > 0) noteCertificates(failure, chain.map(certificateFacts));
    else if (failure instanceof Error && isConnected) noteHandshake(failure);
    noteDial(failure, isConnected ? 'tls' : 'connect', attempts);
    throw failure;
  }
}

/** What the handshake of a dialled socket told; the server's name matters to nobody. */
export function dialledTlsInfo(socket: TLSSocket): TlsInfo {
  return { version: socket.getProtocol() ?? '', cipher: socket.getCipher().name, commonName: null, subject: null };
}

/** Dials TLS. */
export function tlsDialer(spec: DialSpec): Dialer {
  return {
    async dial(signal) {
      const socket = await dialSecureSocket(spec, signal);
      return new SocketTransport(socket, peerInfo(socket, 'tls', dialledTlsInfo(socket)));
    },
  };
}
