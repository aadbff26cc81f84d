// WebSocket over TLS: the two put together.
import type { DialSpec, ListenSpec } from './specs.ts';
import { peerInfo } from './tcp.ts';
import { dialledTlsInfo, dialSecureSocket, listenSecureSockets, type TlsListener } from './tls.ts';
import type { Accept, AcceptError, Admit, Dialer } from './transport.ts';
import { secureUpgrades, upgradeSocket } from './ws.ts';

/** Listens for WebSocket connections over TLS. */
export async function listenWss(
  spec: ListenSpec,
  accept: Accept,
  onError: AcceptError,
  admit: Admit,
): Promise<TlsListener> {
  const upgrades = secureUpgrades(spec.ws ?? {}, accept, onError);
  const listener = await listenSecureSockets(spec, upgrades.begin, onError, admit);
  return {
    port: listener.port,
    update: (options) => listener.update(options),
    async close() {
      await listener.close();
      upgrades.close();
    },
  };
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
