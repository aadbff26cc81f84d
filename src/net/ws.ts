// WebSocket with the subprotocol `mqtt` (MQTT 5.0 section 6), on top of TCP or TLS, by the library ws.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { MAX_PACKET_SIZE } from '../protocol/constants.ts';
import { addressText } from '../util/address-text.ts';
import { noteDial, UpgradeRefused } from './dial-facts.ts';
import type { DialSpec, ListenSpec, WebSocketListenOptions } from './specs.ts';
import { dialSocket, listenSockets, peerInfo } from './tcp.ts';
import type { Accept, AcceptError, Admit, Dialer, Listener, PeerInfo, TlsInfo } from './transport.ts';
import { WebSocketTransport } from './ws-transport.ts';

/** Subprotocols that are let in; the second is what MQTT 3.1 clients ask for. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
const HEADERS_SIZE = 4_096;
const UPGRADE_MS = 10_000;
const DEFAULT_PATH = '/mqtt';

const SHARED_OPTIONS = {
  perMessageDeflate: false,
  // Frames hold bytes: there is no text to check, and a close frame's reason is not looked at.
  skipUTF8Validation: true,
} as const;

/** Why an upgrade request is turned away, or null. */
function upgradeFault(
  request: IncomingMessage,
  options: WebSocketListenOptions,
): { status: number; fault: string } | null {
  const origins = options.origins ?? [];
  const origin = request.headers.origin;
  // Mosquitto answers nothing at all to a wrong origin: status 0 stands for that.
  if (origins.length > 0 && (origin === undefined || !origins.includes(origin))) {
    return { status: 0, fault: `the origin ${origin ?? '(none)'} is not allowed` };
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!offered.some((name) => SUBPROTOCOLS.includes(name))) {
    return { status: 400, fault: 'the request does not offer the subprotocol mqtt' };
  }
  return null;
}

function refuse(socket: Socket, status: number): void {
  if (status === 0) socket.destroy();
  else
    socket.end(`HTTP/1.1 ${status} Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
      socket.destroy(),
    );
}

/** Takes connected sockets through HTTP to open WebSockets. */
class Upgrades {
  private readonly options: WebSocketListenOptions;
  private readonly accept: Accept;
  private readonly onError: AcceptError;
  private readonly http: Server;
  private readonly websockets: WebSocketServer;
  /** Facts of the connections whose request has not come whole. */
  private readonly pending: Map<Socket, { info: PeerInfo; timer: NodeJS.Timeout }>;

  constructor(options: WebSocketListenOptions, accept: Accept, onError: AcceptError) {
    this.options = options;
    this.accept = accept;
    this.onError = onError;
    this.pending = new Map();
    this.websockets = new WebSocketServer({
      ...SHARED_OPTIONS,
      noServer: true,
      clientTracking: false,
      maxPayload: options.maxPayload ?? MAX_PACKET_SIZE,
      handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
    });
    // Mosquitto's spelling; some devices compare it letter by letter.
    this.websockets.on('headers', (headers) => {
      headers.splice(1, 1, 'Upgrade: WebSocket');
    });
    this.websockets.on('wsClientError', (error, socket, request) => {
      this.fail(error, request.socket);
      refuse(socket as Socket, 400);
    });
    // Node would answer some requests by itself, and nobody would hear of them.
    this.http = createServer({ maxHeaderSize: options.headersSize ?? HEADERS_SIZE, requireHostHeader: false });
    for (const kind of ['request', 'checkContinue', 'checkExpectation']) {
      this.http.on(kind, (request: IncomingMessage, response: ServerResponse) => {
        this.fail(new Error('a plain HTTP request came to a WebSocket listener'), request.socket);
        response.writeHead(426, { Connection: 'close', Upgrade: 'WebSocket' }).end();
      });
    }
    this.http.on('connect', (request, socket) => {
      this.fail(new Error('an HTTP CONNECT request, meant for a proxy, came to a WebSocket listener'), request.socket);
      refuse(socket as Socket, 400);
    });
    this.http.on('clientError', (error, socket) => {
      this.fail(error, socket as Socket);
      refuse(socket as Socket, 400);
    });
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket as Socket, head));
  }

  begin(socket: Socket, info: PeerInfo): void {
    const timer = setTimeout(() => {
      this.fail(new Error('the WebSocket upgrade took too long'), socket);
      socket.destroy();
    }, this.options.upgradeTimeoutMs ?? UPGRADE_MS);
    this.pending.set(socket, { info, timer });
    socket.once('close', () => {
      clearTimeout(timer);
      this.pending.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    this.http.emit('connection', socket);
  }

  /** Gives up the connections that are no transports yet. */
  close(): void {
    for (const socket of [...this.pending.keys()]) socket.destroy();
  }

  /** Reports a connection that will not become a transport, once. */
  private fail(error: Error, socket: Socket): void {
    const known = this.pending.get(socket);
    if (known === undefined) return;
    this.pending.delete(socket);
    clearTimeout(known.timer);
    this.onError(error, known.info.address, known.info.port);
  }

  private upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const known = this.pending.get(socket);
    if (known === undefined) {
      socket.destroy();
      return;
    }
    const refused = upgradeFault(request, this.options);
    if (refused !== null) {
      this.fail(new Error(refused.fault), socket);
      refuse(socket, refused.status);
      return;
    }
    this.websockets.handleUpgrade(request, socket, head, (websocket) => {
      this.pending.delete(socket);
      clearTimeout(known.timer);
      this.accept(new WebSocketTransport(websocket, socket, known.info));
    });
  }
}

/** Listens for WebSocket connections over TCP. */
export async function listenWs(
  spec: ListenSpec,
  accept: Accept,
  onError: AcceptError,
  admit: Admit,
): Promise<Listener> {
  const upgrades = new Upgrades(spec.ws ?? {}, accept, onError);
  const begin = (socket: Socket): void => {
    const info = peerInfo(socket, 'ws', null);
    if (admit(info.address)) upgrades.begin(socket, info);
    else socket.destroy();
  };
  const listener = await listenSockets(spec, begin, onError);
  return {
    port: listener.port,
    async close() {
      await listener.close();
      upgrades.close();
    },
  };
}

/** What a listener for WebSocket over TLS does with a socket whose handshake is done. */
export function secureUpgrades(
  options: WebSocketListenOptions,
  accept: Accept,
  onError: AcceptError,
): { begin(socket: TLSSocket, tls: TlsInfo): void; close(): void } {
  const upgrades = new Upgrades(options, accept, onError);
  return {
    begin: (socket, tls) => upgrades.begin(socket, peerInfo(socket, 'wss', tls)),
    close: () => upgrades.close(),
  };
}

/** The library's own complaints about an answer have no code, those of the system and of the HTTP parser do. */
function upgradeError(error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || code.startsWith('HPE_') ? new UpgradeRefused(0, error.message) : error;
}

/** Asks for the upgrade over a connected socket. Rejects with UpgradeRefused, the system's error or the signal's reason. */
export function upgradeSocket(
  spec: DialSpec,
  socket: Socket,
  info: PeerInfo,
  signal: AbortSignal,
): Promise<WebSocketTransport> {
  const path = spec.path ?? DEFAULT_PATH;
  const scheme = info.kind === 'wss' ? 'wss' : 'ws';
  const websocket = new WebSocket(
    `${scheme}://${addressText(spec.host, spec.port)}${path.startsWith('/') ? path : `/${path}`}`,
    ['mqtt'],
    {
      ...SHARED_OPTIONS,
      maxPayload: MAX_PACKET_SIZE,
      createConnection: () => socket,
    },
  );
  return new Promise((resolve, reject) => {
    const abandon = (): void => fail(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', abandon);
      websocket.terminate();
      socket.destroy();
      const { address, port } = info;
      noteDial(error, 'websocket', [{ address, port, code: null }]);
      reject(error);
    };
    // Terminating a WebSocket that is not open makes it report one more error, which the listener swallows.
    const onError = (error: Error): void => fail(upgradeError(error));
    websocket.on('error', onError);
    websocket.once('unexpected-response', (_request, response) => {
      const { statusCode = 0, statusMessage = '' } = response;
      fail(new UpgradeRefused(statusCode, `${statusCode} ${statusMessage}`.trim()));
    });
    websocket.once('open', () => {
      signal.removeEventListener('abort', abandon);
      websocket.off('error', onError);
      resolve(new WebSocketTransport(websocket, socket, info));
    });
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
  });
}

/** Dials WebSocket over TCP. */
export function wsDialer(spec: DialSpec): Dialer {
  return {
    async dial(signal) {
      const socket = await dialSocket(spec, signal);
      return upgradeSocket(spec, socket, peerInfo(socket, 'ws', null), signal);
    },
  };
}
