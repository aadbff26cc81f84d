// The open listeners of a broker: opening with Mosquitto's log lines, limits on connections, handing transports to peers,
// and keeping step with a reloaded configuration. What a reload can find wrong in files is found before anything changes;
// a socket that the system then refuses costs that one listener, and the next reload tries again. Sockets are bound before
// the broker has read what it stored: connections that come meanwhile wait until it lets them in.
import type { Config, ListenerConfig } from '../config/config.ts';
import type { ConfigDiff } from '../config/reload.ts';
import { listen } from '../net/endpoint.ts';
import type { ListenSpec } from '../net/specs.ts';
import type { TlsListener } from '../net/tls.ts';
import { explainTlsError } from '../net/tls-errors.ts';
import type { Listener, Transport } from '../net/transport.ts';
import { ADMINISTRATIVE_ACTION, CONNECTION_RATE_EXCEEDED, NOT_AUTHORIZED } from '../protocol/reasons.ts';
import { monotonicNow, touch } from '../util/clock.ts';
import { systemErrorText } from '../util/system-error.ts';
import { ConnectionRate } from './connection-rate.ts';
import { listenerSettingsOf } from './derive.ts';
import { grantRights } from './handlers/rights.ts';
import { WHY } from './handlers/why.ts';
import type { ClientContext } from './hooks/points.ts';
import { tlsOptionsOf } from './listener-tls.ts';
import { Peer, type PeerListener } from './peer.ts';
import type { SecurityHooks } from './security.ts';
import type { Core } from './settings.ts';
import { TurnAway } from './turn-away.ts';
import { Turnstile } from './turnstile.ts';

/** One open listener. */
interface Open {
  config: ListenerConfig;
  readonly peers: PeerListener;
  readonly rate: ConnectionRate;
  /** What the socket was opened with. */
  spec: ListenSpec;
  /** Null where a reload closed it and the system did not let it be opened anew; clients of it may still be connected. */
  socket: Listener | TlsListener | null;
}

/** A connection that is to be let in. */
interface Waiting {
  readonly transport: Transport;
  readonly peers: PeerListener;
  readonly rate: ConnectionRate;
}

/** All listeners of a broker. */
export class Listeners {
  private readonly core: Core;
  private readonly security: SecurityHooks;
  private readonly keylog: ((line: Buffer) => void) | null;
  private readonly turnAway: TurnAway;
  private open: Open[];
  private readonly turnstile: Turnstile<Waiting>;

  /** @param keylog receives TLS key log lines */
  constructor(core: Core, security: SecurityHooks, keylog: ((line: Buffer) => void) | null) {
    this.core = core;
    this.security = security;
    this.keylog = keylog;
    this.turnAway = new TurnAway();
    this.open = [];
    this.turnstile = new Turnstile((waiting) => this.accept(waiting));
  }

  /** Ports that are bound, in the order of the configuration; 0 for Unix sockets. */
  get ports(): number[] {
    return this.open.flatMap(({ socket }) => (socket === null ? [] : [socket.port]));
  }

  /**
   * Opens the listeners of a configuration; who connects waits for `letIn`. Rejects with ConfigError for certificates, or with the system's error, which
   * then has `port`; those that were opened are left to `close`.
   */
  async start(config: Config): Promise<void> {
    const specs = config.listeners.map((listener) => this.specOf(config, listener));
    for (const [index, listener] of config.listeners.entries()) await this.openOne(listener, specs[index]!);
  }

  /** Takes the connections that came since the sockets were bound, in their order, and from now on those that come. */
  letIn(): void {
    this.turnstile.open();
  }

  /**
   * The listener that something stored belongs to, by the key that its PeerListener had: the same one, else the first on
   * that port; null where the configuration has none any more.
   */
  settingsByKey(key: string): PeerListener | null {
    const [port = ''] = key.split(' ');
    const isOnPort = ({ config }: Open): boolean => config.path === null && String(config.port) === port;
    return (this.open.find(({ peers }) => peers.key === key) ?? this.open.find(isOnPort))?.peers ?? null;
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
    else this.turnstile.add({ transport, peers: first.peers, rate: first.rate });
  }

  /** Stops accepting, and closes the connections that wait to be let in. */
  async close(): Promise<void> {
    const closing = this.open;
    this.open = [];
    await Promise.all(closing.map((listener) => listener.socket?.close()));
    for (const { transport } of this.turnstile.takeWaiting()) transport.destroy();
  }

  /** Closes a listener that is no longer wanted, and its clients: the rules that they came in by are gone. */
  private async remove(config: ListenerConfig): Promise<void> {
    const listener = this.open.find((one) => one.config === config);
    if (listener === undefined) return;
    this.open = this.open.filter((one) => one !== listener);
    await listener.socket?.close();
    for (const waiting of this.turnstile.takeWaiting()) {
      if (waiting.peers === listener.peers) waiting.transport.destroy();
      else this.turnstile.add(waiting);
    }
    for (const peer of [...this.core.peers]) {
      if (peer instanceof Peer && peer.listener === listener.peers)
        peer.close(ADMINISTRATIVE_ACTION, WHY.listenerClosed);
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
    const { socket } = listener;
    const reopens = socket === null || mustReopen || socketOptions(listener.spec) !== socketOptions(spec);
    listener.config = after;
    listener.spec = spec;
    listener.peers.settings = listenerSettingsOf(after, this.security.of(after));
    if (before.allowAnonymous && !after.allowAnonymous) this.closeNameless(listener.peers);
    if (!reopens) {
      if (spec.tls !== undefined && 'update' in socket) socket.update(spec.tls);
      return;
    }
    listener.socket = null;
    await socket?.close();
    try {
      listener.socket = await this.listen(spec, listener.peers, listener.rate);
    } catch (error) {
      this.reportUnopened(spec, error as Error, ' Whoever is connected by it stays; nobody else can connect to it.');
    }
  }

  /** As Mosquitto does: who would no longer get in without a name does not stay either. */
  private closeNameless(listener: PeerListener): void {
    for (const peer of [...this.core.peers]) {
      if (peer instanceof Peer && peer.listener === listener && peer.context?.username === null) {
        peer.close(NOT_AUTHORIZED, WHY.rightsChanged);
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

  private reportUnopened(spec: ListenSpec, error: Error, consequence = ''): void {
    const place = spec.kind === 'unix' ? `path ${spec.path}` : `port ${spec.port}`;
    const sentence = `The listener on ${place} can't be opened: ${systemErrorText(error)}.`;
    this.core.log.error?.(`Error: ${sentence}${consequence} The next reload tries again.`);
  }

  private async openOne(config: ListenerConfig, spec: ListenSpec): Promise<void> {
    const peers: PeerListener = {
      key: this.keyOf(config),
      settings: listenerSettingsOf(config, this.security.of(config)),
      connections: 0,
    };
    const rate = this.rateOf(spec);
    this.open.push({ config, peers, rate, spec, socket: await this.listen(spec, peers, rate) });
  }

  /** Listeners with the same address (any port will do, or one for each family) are told apart by their order. */
  private keyOf(config: ListenerConfig): string {
    const address = addressKey(config);
    const earlier = this.open.filter((one) => addressKey(one.config) === address).length;
    return earlier === 0 ? address : `${address} #${earlier + 1}`;
  }

  private rateOf(spec: ListenSpec): ConnectionRate {
    return new ConnectionRate((address, refused) => {
      const count = refused === 1 ? '' : ` (${refused} connections since the last such line)`;
      this.core.log.notice?.(
        `Client connection from ${address} on port ${spec.port} denied: max_connection_rate exceeded${count}.`,
      );
    });
  }

  private async listen(spec: ListenSpec, peers: PeerListener, rate: ConnectionRate): Promise<Listener | TlsListener> {
    this.logOpening(spec);
    return listen(
      spec,
      (transport) => this.turnstile.add({ transport, peers, rate }),
      (error, address, port) => {
        const cause = (explainTlsError(error, 'broker') ?? error.message).replace(/\.$/, '');
        this.core.log.notice?.(`Client connection from ${address}:${port} failed: ${cause}.`);
      },
      (address) => isWithinRate(address, peers, rate),
    );
  }

  private accept({ transport, peers, rate }: Waiting): void {
    const { info } = transport;
    const { log, settings } = this.core;
    // Others were judged before their handshake, and a Unix socket has no addresses.
    if (info.kind === 'tcp' && !isWithinRate(info.address, peers, rate)) {
      this.turnAway.refuse(transport, settings.sizesBeforeConnect, CONNECTION_RATE_EXCEEDED);
      return;
    }
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

  /** As Mosquitto does: a user who is no longer known, or not by that password, does not stay. A certificate's name needs no other proof. */
  private dismissStranger(peer: Peer): void {
    const { hooks, certificateUsername } = peer.listener.settings;
    if (peer.context === null || certificateUsername !== null || hooks.remains(peer.context)) return;
    const { username } = peer.context;
    this.core.log.notice?.(
      `Client ${peer.name} is disconnected: user '${username}' was removed or has another password.`,
    );
    peer.close(NOT_AUTHORIZED, WHY.rightsChanged);
  }

  private specOf(config: Config, listener: ListenerConfig): ListenSpec {
    const handshakeMs = config.global.connectTimeout * 1000;
    const tls = tlsOptionsOf(listener, this.keylog, handshakeMs, (text) => this.core.log.warning?.(text)) ?? undefined;
    const isWeb = listener.protocol === 'websockets';
    const plain = listener.path === null ? 'tcp' : 'unix';
    return {
      kind: isWeb ? (tls === undefined ? 'ws' : 'wss') : tls === undefined ? plain : 'tls',
      host: listener.host ?? undefined,
      port: listener.port,
      path: listener.path ?? undefined,
      family: listener.socketDomain === null ? undefined : listener.socketDomain === 'ipv4' ? 4 : 6,
      tls,
      ws: isWeb ? { origins: listener.websocketsOrigin, upgradeTimeoutMs: handshakeMs } : undefined,
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

/** Whether the listener's max_connection_rate lets an address make one more connection now. */
function isWithinRate(address: string, peers: PeerListener, rate: ConnectionRate): boolean {
  touch();
  return rate.admits(address, peers.settings.maxConnectionRate, monotonicNow());
}

/** `1883`, `1883 127.0.0.1` or the path of a Unix socket: short and the same after a restart, for it is stored. */
function addressKey({ port, host, path }: ListenerConfig): string {
  return path ?? (host === null ? `${port}` : `${port} ${host}`);
}

/** What a socket keeps for life, to be compared: all but the certificates, which an open one takes anew. */
function socketOptions({ tls: _, ...rest }: ListenSpec): string {
  return JSON.stringify(rest);
}
