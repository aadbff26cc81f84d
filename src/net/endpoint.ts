// The only place that chooses a transport. TLS and WebSocket are loaded when they are first asked for: a plain mqtt-pub
// never pays for them.
import { isIP } from 'node:net';
import type { DialSpec, ListenSpec } from './specs.ts';
import { listenTcp, tcpDialer } from './tcp.ts';
import type { TlsListener } from './tls.ts';
import type { Accept, AcceptError, Admit, Dialer, Listener } from './transport.ts';
import { listenUnix, unixDialer } from './unix.ts';

/**
 * Opens a listener. Rejects with the system's error (port in use, no such address, no permission) or, for certificates and
 * keys that do not work, with OpenSSL's, which explainTlsError() puts into words.
 * @param admit judges TLS and WebSocket connections before their handshake; others are `accept`'s to refuse
 * @returns for 'tls' and 'wss' a listener whose certificates can be replaced by `update`
 */
export async function listen(
  spec: ListenSpec,
  accept: Accept,
  onError: AcceptError,
  admit: Admit = () => true,
): Promise<Listener | TlsListener> {
  switch (spec.kind) {
    case 'tcp':
      return listenTcp(spec, accept, onError);
    case 'unix':
      return listenUnix(spec, accept, onError);
    case 'tls':
      return (await import('./tls.ts')).listenTls(spec, accept, onError, admit);
    case 'ws':
      return (await import('./ws.ts')).listenWs(spec, accept, onError, admit);
    case 'wss':
      return (await import('./wss.ts')).listenWss(spec, accept, onError, admit);
  }
}

/** A dialer for a place. */
export function dialer(spec: DialSpec): Dialer {
  if (spec.localAddress !== undefined && isIP(spec.localAddress) === 0) {
    return {
      async dial(signal) {
        const { withLocalAddress } = await import('./local-address.ts');
        return dialer(await withLocalAddress(spec)).dial(signal);
      },
    };
  }
  if (spec.srv !== undefined) {
    return { dial: async (signal) => (await import('./srv.ts')).srvDialer(spec, dialer).dial(signal) };
  }
  switch (spec.kind) {
    case 'tcp':
      return tcpDialer(spec);
    case 'unix':
      return unixDialer(spec);
    case 'tls':
      return { dial: async (signal) => (await import('./tls.ts')).tlsDialer(spec).dial(signal) };
    case 'ws':
      return { dial: async (signal) => (await import('./ws.ts')).wsDialer(spec).dial(signal) };
    case 'wss':
      return { dial: async (signal) => (await import('./wss.ts')).wssDialer(spec).dial(signal) };
  }
}
