// The open listeners of a broker: opening with Mosquitto's log lines, limits on connections, handing transports to peers,
// and keeping step with a reloaded configuration. What a reload can find wrong in files is found before anything changes;
// a socket that the system then refuses costs that one listener, and the next reload tries again.
import type { Config, ListenerConfig } from '../config/config.ts';
import type { ConfigDiff } from '../config/reload.ts';
import { listen } from '../net/endpoint.ts';
import type { ListenSpec } from '../net/specs.ts';
import type { TlsListener } from '../net/tls.ts';
import { explainTlsError } from '../net/tls-errors.ts';
import type { Listener, Transport } from '../net/transport.ts';
import { ADMINISTRATIVE_ACTION, NOT_AUTHORIZED } from '../protocol/reasons.ts';
import { listenerSettingsOf } from './derive.ts';
import { grantRights } from './handlers/rights.ts';
import type { ClientContext } from './hooks/points.ts';
import { tlsOptionsOf } from './listener-tls.ts';
import { Peer, type PeerListener } from './peer.ts';
import type { SecurityHooks } from './security.ts';
import type { Core } from './settings.ts';

/** One open listener. */
interface Open {
  config: ListenerConfig;
  readonly peers: PeerListener;
  /** What the socket was opened with. */
  spec: ListenSpec;
  socket: Listener | TlsListener;
}

/** How listeners are run, beside their configuration. */
export interface ListenerOptions {
  readonly keylog: ((line: Buffer) => void) | null;
  /** Milliseconds that a connection may take until its CONNECT is complete. */
  readonly connectTimeoutMs: number;
}

/** All listeners of a broker. */
export class Listeners {
  private readonly core: Core;
  private readonly security: SecurityHooks;
  private readonly options: ListenerOptions;
  private open: Open[];

  constructor(core: Core, security: SecurityHooks, options: ListenerOptions) {
    this.core = core;
    this.security = security;
    this.options = options;
    this.open = [];
  }

  /** Ports that are bound, in the order of the configuration; 0 for Unix sockets. */
  get ports(): number[] {
    return this.open.map((listener) => listener.socket.port);
  }

  /**
   * Opens the listeners of a configuration. Rejects with ConfigError for certificates, or with the system's error, which
   * then has `port`; those that were opened are left to `close`.
   */
  async start(config: Config): Promise<void> {
    const specs = config.listeners.map((listener) => this.specOf(config, listener));
    for (const [index, listener] of config.listeners.entries()) await this.openOne(listener, specs[index]!);
  }

  /**
   * Reads the certificates of a reloaded configuration; throws ConfigError, with nothing changed, if one is bad. The result
   * makes the listeners follow: settings and certificates anew, sockets opened and closed. It never rejects.
   */
  prepare(config: Config, diff: ConfigDiff): () => Promise<void> {
    const specs = new Map(config.listeners.map((listener) => [listener, this.specOf(config, listener)]));
    return async () => {
      for (const listener of diff.removed) await this.remove(listener);
      for (const { before, after, reopen } of diff.kept) await this.keep(before, after, specs.get(after)!, reopen);
      for (const listener of diff.added) await this.tryToOpen(listener, specs.get(listener)!);
      const order = (one: Open): number => config.listeners.indexOf(one.config);
      this.open.sort((a, b) => order(a) - order(b));
      this.renewRights();
    };
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

  /** Closes a listener that is no longer wanted, and its clients: the rules that they came in by are gone. */
  private async remove(config: ListenerConfig): Promise<void> {
    const listener = this.open.find((one) => one.config === config);
    if (listener === undefined) return;
    this.open = this.open.filter((one) => one !== listener);
    await listener.socket.close();
    for (const peer of [...this.core.peers]) {
      if (peer instanceof Peer && peer.listener === listener.peers) peer.close(ADMINISTRATIVE_ACTION);
    }
  }

  private async keep(
    before: ListenerConfig,
    after: ListenerConfig,
    spec: ListenSpec,
    mustReopen: boolean,
  ): Promise<void> {
    const listener = this.open.find((one) => one.config === before);
    if (listener === undefined) {
      await this.tryToOpen(after, spec);
      return;
    }
    const reopens = mustReopen || socketOptions(listener.spec) !== socketOptions(spec);
    listener.config = after;
    listener.spec = spec;
    listener.peers.settings = listenerSettingsOf(after, this.security.of(after));
    if (before.allowAnonymous && !after.allowAnonymous) this.closeNameless(listener.peers);
    if (!reopens) {
      if (spec.tls !== undefined && 'update' in listener.socket) listener.socket.update(spec.tls);
      return;
    }
    await listener.socket.close();
    try {
      listener.socket = await this.listen(spec, listener.peers);
    } catch (error) {
      this.open = this.open.filter((one) => one !== listener);
      this.reportUnopened(spec, error as Error);
    }
  }

  /** As Mosquitto does: who would no longer get in without a name does not stay either. */
  private closeNameless(listener: PeerListener): void {
    for (const peer of [...this.core.peers]) {
      if (peer instanceof Peer && peer.listener === listener && peer.context?.username === null) {
        peer.close(NOT_AUTHORIZED);
      }
    }
  }

  private async tryToOpen(config: ListenerConfig, spec: ListenSpec): Promise<void> {
    try {
      await this.openOne(config, spec);
    } catch (error) {
      this.reportUnopened(spec, error as Error);
    }
  }

  private reportUnopened(spec: ListenSpec, error: Error): void {
    const place = spec.kind === 'unix' ? `path ${spec.path}` : `port ${spec.port}`;
    this.core.log.error?.(
      `Error: The listener on ${place} can't be opened: ${error.message}. The next reload tries again.`,
    );
  }

  private async openOne(config: ListenerConfig, spec: ListenSpec): Promise<void> {
    const peers: PeerListener = {
      settings: listenerSettingsOf(config, this.security.of(config)),
      connectTimeoutMs: this.options.connectTimeoutMs,
      connections: 0,
    };
    this.open.push({ config, peers, spec, socket: await this.listen(spec, peers) });
  }

  private async listen(spec: ListenSpec, peers: PeerListener): Promise<Listener | TlsListener> {
    this.logOpening(spec);
    return listen(
      spec,
      (transport) => this.accept(transport, peers),
      (error, address, port) => {
        const cause = (explainTlsError(error) ?? error.message).replace(/\.$/, '');
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
    this.core.origins.set(info, peers);
    new Peer(this.core, peers, transport);
  }

  /** Connected and absent clients alike are judged by the rules of now; what was remembered until now is void. */
  private renewRights(): void {
    this.core.trie.outdateAll();
    for (const session of this.core.registry.sessions()) {
      const context = session.context as Partial<ClientContext>;
      const listener = context.peer === undefined ? undefined : this.core.origins.get(context.peer);
      if (listener !== undefined) grantRights(session, context as ClientContext, listener.settings.hooks);
    }
    for (const peer of [...this.core.peers]) {
      if (!(peer instanceof Peer)) continue;
      peer.writableTopic = null;
      this.dismissStranger(peer);
    }
  }

  /** As Mosquitto does: a user who is no longer known does not stay. A certificate's name needs no other proof. */
  private dismissStranger(peer: Peer): void {
    const { hooks, certificateUsername } = peer.listener.settings;
    if (peer.context === null || certificateUsername !== null || hooks.remains(peer.context)) return;
    this.core.log.notice?.(`Client ${peer.name} is disconnected: user '${peer.context.username}' is no longer known.`);
    peer.close(NOT_AUTHORIZED);
  }

  private specOf(config: Config, listener: ListenerConfig): ListenSpec {
    const tls = tlsOptionsOf(listener, this.options.keylog) ?? undefined;
    const isWeb = listener.protocol === 'websockets';
    const plain = listener.path === null ? 'tcp' : 'unix';
    return {
      kind: isWeb ? (tls === undefined ? 'ws' : 'wss') : tls === undefined ? plain : 'tls',
      host: listener.host ?? undefined,
      port: listener.port,
      path: listener.path ?? undefined,
      family: listener.socketDomain === null ? undefined : listener.socketDomain === 'ipv4' ? 4 : 6,
      tls,
      ws: isWeb ? { origins: listener.websocketsOrigin } : undefined,
      noDelay: config.global.setTcpNodelay,
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

/** What a socket keeps for life, to be compared: all but the certificates, which an open one takes anew. */
function socketOptions({ tls: _, ...rest }: ListenSpec): string {
  return JSON.stringify(rest);
}
