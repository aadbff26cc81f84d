// The open listeners of a broker: opening with Mosquitto's log lines, limits on connections, handing transports to peers,
// and keeping step with a reloaded configuration.
import type { ListenerConfig } from '../config/config.ts';
import type { ConfigDiff } from '../config/reload.ts';
import { listen } from '../net/endpoint.ts';
import type { ListenSpec } from '../net/specs.ts';
import { explainTlsError } from '../net/tls-errors.ts';
import type { Listener, Transport } from '../net/transport.ts';
import { listenerSettingsOf } from './derive.ts';
import { tlsOptionsOf } from './listener-tls.ts';
import { Peer, type PeerListener } from './peer.ts';
import type { SecurityHooks } from './security.ts';
import type { Core } from './settings.ts';

/** One open listener. */
interface Open {
  config: ListenerConfig;
  readonly peers: PeerListener;
  socket: Listener;
}

/** All listeners of a broker. */
export class Listeners {
  private readonly core: Core;
  private readonly security: SecurityHooks;
  private readonly tcpNoDelay: () => boolean;
  private readonly keylog: ((line: Buffer) => void) | null;
  private open: Open[];

  constructor(core: Core, security: SecurityHooks, tcpNoDelay: () => boolean, keylog: ((line: Buffer) => void) | null) {
    this.core = core;
    this.security = security;
    this.tcpNoDelay = tcpNoDelay;
    this.keylog = keylog;
    this.open = [];
  }

  /** Ports that are bound, in the order of the configuration; 0 for Unix sockets. */
  get ports(): number[] {
    return this.open.map((listener) => listener.socket.port);
  }

  /** Opens listeners; if one fails, those of this call are closed again and the error is thrown. */
  async add(configs: readonly ListenerConfig[]): Promise<void> {
    const added: Open[] = [];
    try {
      for (const config of configs) added.push(await this.openOne(config));
    } catch (error) {
      await Promise.all(added.map((listener) => listener.socket.close()));
      throw error;
    }
    this.open.push(...added);
  }

  /** Follows a reloaded configuration: certificates and settings anew, listeners opened and closed. */
  async update(diff: ConfigDiff): Promise<void> {
    for (const { before, after, reopen } of diff.kept) {
      const listener = this.open.find((one) => one.config === before);
      if (listener === undefined) continue;
      listener.config = after;
      listener.peers.settings = listenerSettingsOf(after, this.security.of(after));
      if (reopen) {
        await listener.socket.close();
        listener.socket = await this.listen(after, listener.peers);
      } else if ('update' in listener.socket) {
        const options = tlsOptionsOf(after, this.keylog);
        if (options !== null) (listener.socket as Listener & { update(o: typeof options): void }).update(options);
      }
    }
    for (const config of diff.removed) {
      const listener = this.open.find((one) => one.config === config);
      if (listener === undefined) continue;
      await listener.socket.close();
      this.open = this.open.filter((one) => one !== listener);
    }
    await this.add(diff.added);
  }

  /** Takes a connection that came from inside the process; it counts as the first listener's. */
  acceptOwn(transport: Transport): void {
    const first = this.open[0];
    if (first === undefined) transport.destroy();
    else this.accept(transport, first.peers);
  }

  /** Stops accepting. */
  async close(): Promise<void> {
    const closing = this.open;
    this.open = [];
    await Promise.all(closing.map((listener) => listener.socket.close()));
  }

  private async openOne(config: ListenerConfig): Promise<Open> {
    const peers: PeerListener = { settings: listenerSettingsOf(config, this.security.of(config)), connections: 0 };
    return { config, peers, socket: await this.listen(config, peers) };
  }

  private async listen(config: ListenerConfig, peers: PeerListener): Promise<Listener> {
    const spec = this.specOf(config);
    this.logOpening(spec);
    return listen(
      spec,
      (transport) => this.accept(transport, peers),
      (error, address, port) => {
        const cause = explainTlsError(error) ?? error.message;
        this.core.log.notice?.(`Client connection from ${address}:${port} failed: ${cause}.`);
      },
    );
  }

  private accept(transport: Transport, peers: PeerListener): void {
    const { info } = transport;
    const { log, settings } = this.core;
    const limit = peers.settings.maxConnections;
    if (limit >= 0 && peers.connections >= limit) {
      log.notice?.(`Client connection from ${info.address} denied: max_connections exceeded.`);
      transport.destroy();
      return;
    }
    if (settings.logsConnections) {
      log.notice?.(`New connection from ${info.address}:${info.port} on port ${info.localPort}.`);
    }
    new Peer(this.core, peers, transport);
  }

  private specOf(config: ListenerConfig): ListenSpec {
    const tls = tlsOptionsOf(config, this.keylog) ?? undefined;
    const isWeb = config.protocol === 'websockets';
    const plain = config.path === null ? 'tcp' : 'unix';
    return {
      kind: isWeb ? (tls === undefined ? 'ws' : 'wss') : tls === undefined ? plain : 'tls',
      host: config.host ?? undefined,
      port: config.port,
      path: config.path ?? undefined,
      family: config.socketDomain === null ? undefined : config.socketDomain === 'ipv4' ? 4 : 6,
      tls,
      ws: isWeb ? { origins: config.websocketsOrigin } : undefined,
      noDelay: this.tcpNoDelay(),
    };
  }

  private logOpening(spec: ListenSpec): void {
    const { log } = this.core;
    if (spec.kind === 'unix') {
      log.information?.(`Opening unix listen socket on path ${spec.path}.`);
    } else if (spec.kind === 'ws' || spec.kind === 'wss') {
      log.information?.(`Opening websockets listen socket on port ${spec.port}.`);
    } else {
      const isSix = spec.host?.includes(':') === true;
      const isFour = spec.host !== undefined && !isSix;
      if (spec.family !== 6 && !isSix) log.information?.(`Opening ipv4 listen socket on port ${spec.port}.`);
      if (spec.family !== 4 && !isFour) log.information?.(`Opening ipv6 listen socket on port ${spec.port}.`);
    }
  }
}
