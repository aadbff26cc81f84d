// WebSocket over TLS: the two put together.
import type { DialSpec, ListenSpec } from './specs.ts';
import { peerInfo } from './tcp.ts';
import { dialledTlsInfo, dialSecureSocket, listenSecureSockets, type TlsListener } from './tls.ts';
import type { Accept, AcceptError, Dialer } from './transport.ts';
import { secureUpgrades, upgradeSocket } from './ws.ts';

/** Listens for WebSocket connections over TLS. */
export function listenWss(spec: ListenSpec, accept: Accept, onError: AcceptError): Promise<TlsListener> {
  return listenSecureSockets(spec, secureUpgrades(spec.ws ?? {}, accept, onError), onError);
}

/** Dials WebSocket over TLS. */
export function wssDialer(spec: DialSpec): Dialer {
  return {
    async dial(signal) {
      const socket = await dialSecureSocket(spec, signal);
      return upgradeSocket(spec, socket, peerInfo(socket, 'wss', dialledTlsInfo(socket)), signal);
    },
  };
}
