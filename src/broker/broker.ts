// The composition root: builds the parts of a broker from its configuration, starts, reloads and stops them.
import type { Config, ConfigNote } from '../config/config.ts';
import { ConfigError, errorAt } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import { diffConfigs, restartNotice } from '../config/reload.ts';
import { configureLogger, LOG_TYPES, type Logger, type LogType, silentLogger } from '../log/logger.ts';
import { type BatchedLogSink, createLogSink } from '../log/sinks.ts';
import { UnusableLog } from '../log/unusable.ts';
import { FlushTurn } from '../net/flush.ts';
import { PAUSE_PACE } from '../net/link.ts';
import type { Transport } from '../net/transport.ts';
import { SERVER_SHUTTING_DOWN } from '../protocol/reasons.ts';
import { topicNameFault } from '../protocol/topic.ts';
import { monotonicNow, touch } from '../util/clock.ts';
import { Wheel } from '../util/wheel.ts';
import { VERSION } from '../version.ts';
import { longestExpiry, settingsOf } from './derive.ts';
import { WHY } from './handlers/why.ts';
import type { Plugin } from './hooks/points.ts';
import { Listeners } from './listeners.ts';
import { publishOwn, publishWill } from './own-messages.ts';
import { closePersistence, openPersistence } from './persistence.ts';
import { Retained } from './routing/retained.ts';
import { Router } from './routing/router.ts';
import { TopicTable } from './routing/topics.ts';
import { Trie } from './routing/trie.ts';
import { SecurityHooks } from './security.ts';
import { KeptMessages } from './sessions/kept.ts';
import { Pacing } from './sessions/pacing.ts';
import { SessionRegistry } from './sessions/registry.ts';
import type { Core, CorePeer, Settings } from './settings.ts';
import { readGauges } from './sys/gauges.ts';
import { Metrics } from './sys/metrics.ts';
import { SysTree } from './sys/tree.ts';

/** How a broker is run, beside its configuration. */
export interface BrokerOptions {
  /** All log types, or none, whatever the configuration says. */
  readonly verbosity?: 'configured' | 'all' | 'none';
  /** Lines to log at the start, of loading the configuration. */
  readonly notes?: readonly ConfigNote[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Ports of `-p`, for reading the configuration anew. */
  readonly ports?: readonly number[];
  /** Plugins of an embedding program, asked before the built-in ones. */
  readonly plugins?: readonly Plugin[];
  /** Receives TLS key log lines. */
  readonly keylog?: (line: Buffer) => void;
  /** Called when all sockets are bound and log and certificates are open, before anything of the store is touched. */
  readonly whenBound?: () => void;
}

/** A message of the embedding program's own. */
export interface OwnMessage {
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
}

/** A running broker. */
export interface Broker {
  /** Ports that are bound, in the order of the listeners. */
  readonly ports: readonly number[];
  /** Publishes a message to the subscribers, past all access rules. */
  publish(topic: string, payload: string | Buffer, options?: OwnMessage): void;
  /** Takes a client whose connection the program made itself, as if it had come to the first listener. */
  accept(transport: Transport): void;
  /** Reads configuration, passwords, access rules, certificates anew and reopens log files; logs what it can't use. */
  reload(): Promise<void>;
  /** Makes the store as small as what counts in it, in the course of the next turns. Nothing without persistence. */
  compact(): void;
  /** Publishes the wills, says goodbye to the clients and closes everything. */
  stop(): Promise<void>;
}

/** Length of a tick of the wheel that keep-alive, expiry and will delay hang on, in milliseconds. */
const TICK_MS = 100;
/** Exit code where a file or socket can't be opened though the configuration is fine. */
const EXIT_UNOPENED = 1;
/** Time that clients have to take their goodbye, in milliseconds. */
const GOODBYE_MS = 1000;

/**
 * Starts a broker and resolves when its listeners are open. Rejects with ConfigError for files that can't be used, or with
 * the system's error for a socket that can't be opened (it has `port`), with everything closed again.
 */
export async function startBroker(config: Config, options: BrokerOptions = {}): Promise<Broker> {
  const broker = new RunningBroker(config, options);
  try {
    await broker.start();
    return broker;
  } catch (error) {
    await broker.stop();
    throw error;
  }
}

class RunningBroker implements Broker {
  private config: Config;
  private readonly options: BrokerOptions;
  private readonly log: Logger;
  private sink: BatchedLogSink;
  private readonly core: Core;
  private readonly security: SecurityHooks;
  private readonly listeners: Listeners;
  private readonly sysTree: SysTree;
  private tick: NodeJS.Timeout | null;
  private sysTimer: NodeJS.Timeout | null;
  private retainedSweep: NodeJS.Timeout | null;
  private reloading: Promise<void>;
  private started: boolean;
  private stopping: Promise<void> | null;

  constructor(config: Config, options: BrokerOptions) {
    this.config = config;
    this.options = options;
    this.log = silentLogger();
    touch();
    this.core = makeCore(config, this.log);
    this.sink = this.openSink(config);
    this.useSink(config, this.sink);
    this.security = new SecurityHooks(this.log, options.plugins ?? []);
    this.listeners = new Listeners(this.core, this.security, options.keylog ?? null);
    this.sysTree = new SysTree(
      this.core.metrics,
      (topic, payload) => publishOwn(this.core, topic, Buffer.from(payload), 2, true, {}),
      (set) => readGauges(this.core, set),
      monotonicNow(),
    );
    this.tick = null;
    this.sysTimer = null;
    this.retainedSweep = null;
    this.reloading = Promise.resolve();
    this.started = false;
    this.stopping = null;
  }

  get ports(): readonly number[] {
    return this.listeners.ports;
  }

  async start(): Promise<void> {
    const { log, config } = this;
    log.information?.(`mqtt-broker version ${VERSION} starting`);
    log.information?.(config.file === null ? 'Using default config.' : `Config loaded from ${config.file}.`);
    for (const { type, text } of this.options.notes ?? []) log[type]?.(text);
    if (config.localOnly) {
      log.warning?.(
        'Starting in local only mode. Connections will only be possible from clients running on this machine.',
      );
      log.warning?.('Create a configuration file which defines a listener to allow remote access.');
      log.warning?.('For more details see the man page mqtt-broker.conf(5).');
    }
    this.security.prepare(config)();
    await this.listeners.start(config);
    this.options.whenBound?.();
    openPersistence(config, this.core, (key) => this.listeners.settingsByKey(key));
    this.startTimers();
    this.started = true;
    this.listeners.letIn();
    log.information?.(`mqtt-broker version ${VERSION} running`);
  }

  publish(topic: string, payload: string | Buffer, options: OwnMessage = {}): void {
    const fault = topicNameFault(topic);
    if (fault !== null) throw new TypeError(`'${topic}' is no topic name: ${fault}`);
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    touch();
    publishOwn(this.core, topic, bytes, options.qos ?? 0, options.retain ?? false, {});
  }

  accept(transport: Transport): void {
    this.listeners.acceptOwn(transport);
  }

  reload(): Promise<void> {
    // One after the other: a second signal must not find a half-made configuration.
    this.reloading = this.reloading.then(() => this.reloadNow());
    return this.reloading;
  }

  compact(): void {
    const { store } = this.core;
    if (store === null) return;
    this.log.information?.('Compacting the store.');
    store.compact();
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopNow();
    return this.stopping;
  }

  private async reloadNow(): Promise<void> {
    if (this.stopping !== null) return;
    const { log } = this;
    log.information?.('Reloading config.');
    let next = this.config;
    try {
      if (this.config.file !== null) {
        const loaded = loadConfig(this.config.file, this.options.env ?? {}, this.options.ports ?? []);
        next = loaded.config;
        for (const { type, text } of loaded.warnings) log[type]?.(text);
      }
      await this.apply(next);
    } catch (error) {
      for (const line of (error as Error).message.split('\n')) log.error?.(line);
      log.error?.('Error: The configuration was not reloaded; the broker goes on with the one it has.');
    }
  }

  private async apply(next: Config): Promise<void> {
    const diff = diffConfigs(this.config, next);
    // What can fail comes first; from the first assignment on, the new configuration holds.
    const commitSecurity = this.security.prepare(next);
    const commitListeners = this.listeners.prepare(next, diff);
    const commitOwn = this.security.prepareOwn();
    if (diff.changes.some(({ option }) => option.section === 'Logging')) {
      const sink = this.openSink(next);
      const old = this.sink;
      this.sink = sink;
      this.useSink(next, sink);
      old.close();
    } else {
      logOf(next, () => this.sink.reopen());
    }
    for (const change of [...diff.changes, ...diff.kept.flatMap(({ changes }) => changes)]) {
      const notice = restartNotice(change);
      if (notice !== null) this.log.warning?.(notice);
    }
    commitOwn();
    commitSecurity();
    this.config = next;
    this.useSettings(next);
    await commitListeners();
    this.stopTimers();
    this.startTimers();
  }

  private useSettings(config: Config): void {
    const { core } = this;
    const settings: Settings = settingsOf(config);
    core.settings = settings;
    core.limits = settings.limits;
    core.kept.limit = settings.limits.maxKeptBytes;
    core.router.mergesOverlapping = !config.global.allowDuplicateMessages;
    core.registry.maximumExpiry = longestExpiry(config);
  }

  private async stopNow(): Promise<void> {
    const { core, log } = this;
    // What a reload is about to open would stay open.
    await this.reloading;
    await this.listeners.close();
    if (this.started) {
      await withinGoodbye(core.registry.publishWills());
      // The wills are on their way when the next turn has ended.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    }
    for (const peer of [...core.peers]) peer.close(SERVER_SHUTTING_DOWN, WHY.shuttingDown);
    if (core.peers.size > 0) {
      await withinGoodbye(new Promise((resolve) => (core.whenEmpty = resolve)));
    }
    for (const peer of [...core.peers]) peer.destroy();
    this.stopTimers();
    await closePersistence(core);
    this.security.close();
    if (this.started) log.information?.(`mqtt-broker version ${VERSION} terminating`);
    this.sink.close();
  }

  private startTimers(): void {
    const { core } = this;
    const { sysInterval, retainExpiryInterval } = this.config.global;
    this.tick = setInterval(() => {
      touch();
      core.wheel.advance(monotonicNow());
    }, TICK_MS);
    if (sysInterval > 0) {
      this.sysTree.announce(`mqtt-broker version ${VERSION}`);
      this.updateSysTree(sysInterval * 1000);
    }
    if (retainExpiryInterval > 0) {
      this.retainedSweep = setInterval(() => core.retained.sweep(Date.now()), retainExpiryInterval * 60_000);
    }
  }

  /** Publishes $SYS now and at the next multiples of the interval. */
  private updateSysTree(intervalMs: number): void {
    touch();
    this.sysTree.update(monotonicNow());
    const rest = intervalMs - (Date.now() % intervalMs);
    this.sysTimer = setTimeout(() => this.updateSysTree(intervalMs), rest);
  }

  private stopTimers(): void {
    if (this.tick !== null) clearInterval(this.tick);
    if (this.sysTimer !== null) clearTimeout(this.sysTimer);
    if (this.retainedSweep !== null) clearInterval(this.retainedSweep);
    this.tick = null;
    this.sysTimer = null;
    this.retainedSweep = null;
  }

  private openSink(config: Config): BatchedLogSink {
    return logOf(config, () =>
      createLogSink(config.global, (topic, line) => {
        publishOwn(this.core, topic, Buffer.from(line), 2, false, { messageExpiryInterval: 20 });
      }),
    );
  }

  private useSink(config: Config, sink: BatchedLogSink): void {
    const { verbosity } = this.options;
    const types: readonly LogType[] =
      verbosity === 'all' ? LOG_TYPES : verbosity === 'none' ? [] : config.global.logType;
    configureLogger(this.log, new Set(types), sink);
  }
}

/** Opens what log_dest names; a destination that can't be used becomes a ConfigError with its place. */
function logOf<T>(config: Config, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof UnusableLog)) throw error;
    const place = config.places.get(`logDest ${error.destination}`) ?? null;
    throw new ConfigError(errorAt(place, `Error: ${error.message}`).lines, EXIT_UNOPENED);
  }
}

/** Waits for what happens while the broker says goodbye, but not for ever. */
async function withinGoodbye(done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([done, new Promise((resolve) => (timer = setTimeout(resolve, GOODBYE_MS)))]);
  clearTimeout(timer);
}

/** The parts that peers share. */
function makeCore(config: Config, log: Logger): Core {
  const settings = settingsOf(config);
  const topics = new TopicTable();
  const trie = new Trie(topics);
  const retained = new Retained();
  const router = new Router(topics, trie, retained);
  router.mergesOverlapping = !config.global.allowDuplicateMessages;
  const wheel = new Wheel(TICK_MS, monotonicNow());
  const metrics = new Metrics();
  const pacing = new Pacing(wheel, PAUSE_PACE);
  const kept = new KeptMessages(log, wheel, pacing, settings.limits.maxKeptBytes);
  const host = { log, metrics, topics, limits: settings.limits, kept, pacing, store: null };
  const registry = new SessionRegistry(host, trie, wheel, (session) => publishWill(core, session));
  registry.maximumExpiry = longestExpiry(config);
  // Sessions and core share one object, so that new limits reach both.
  const core: Core = Object.assign(host, {
    trie,
    retained,
    router,
    wheel,
    registry,
    origins: new WeakMap(),
    turn: new FlushTurn(() => core.store?.commit()),
    settings,
    connections: 0,
    peers: new Set<CorePeer>(),
    whenEmpty: null,
  });
  return core;
}
