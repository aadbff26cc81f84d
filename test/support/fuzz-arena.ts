// A broker that is fuzzed: its doors, its inner state, and the proof that nothing is left behind when all is over.
import assert from 'node:assert/strict';
import process from 'node:process';
import { type Broker, startBroker } from '../../src/broker/broker.ts';
import type { Plugin } from '../../src/broker/hooks/points.ts';
import type { Listeners } from '../../src/broker/listeners.ts';
import type { Core } from '../../src/broker/settings.ts';
import { type ConfigInput, configFrom, type ListenerInput } from '../../src/config/from-program.ts';
import type { Doors } from './fuzz-pipe.ts';
import { WireClock } from './wire-clock.ts';

/** Real milliseconds that anything may take. */
const PATIENCE_MS = 10_000;

/** Hours that outlast every session, will delay and message of an episode. */
const FAR_MS = 3 * 3_600_000;

/** How the broker of an arena is set up. */
export interface ArenaOptions {
  readonly global?: ConfigInput['global'];
  /** For both listeners. */
  readonly listener?: Partial<ListenerInput>;
  readonly plugins?: readonly Plugin[];
  readonly verbosity?: 'all' | 'none';
}

/** What the process was told of that nobody caught. */
const uncaught: string[] = [];
let isWatching = false;

function watchProcess(): void {
  if (isWatching) return;
  isWatching = true;
  process.on('uncaughtException', (error) => uncaught.push(`uncaught: ${error.stack}`));
  process.on('unhandledRejection', (error) => uncaught.push(`unhandled: ${(error as Error)?.stack ?? error}`));
}

/** Sockets and timers that keep the process alive. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout)/.test(name)).length;
}

/** The insides that the public face of a broker doesn't show. */
interface Insides {
  readonly core: Core;
  readonly listeners: Listeners;
}

/** A running broker on a clock of its own. */
export class FuzzArena {
  readonly clock: WireClock;
  readonly broker: Broker;
  readonly doors: Doors;
  readonly core: Core;
  private readonly listeners: Listeners;
  /** Sockets and timers of the process before this broker. */
  private readonly handles: number;

  private constructor(clock: WireClock, broker: Broker, handles: number) {
    this.handles = handles;
    const { core, listeners } = broker as unknown as Insides;
    this.clock = clock;
    this.broker = broker;
    this.core = core;
    this.listeners = listeners;
    this.doors = {
      accept: (transport) => broker.accept(transport),
      tcpPort: broker.ports[0]!,
      wsPort: broker.ports[1]!,
    };
  }

  static async open(options: ArenaOptions = {}): Promise<FuzzArena> {
    watchProcess();
    const handles = openHandles();
    const clock = new WireClock();
    try {
      const config = configFrom({
        listeners: [
          { port: 0, ...options.listener },
          { port: 0, protocol: 'websockets', ...options.listener },
        ],
        global: { sysInterval: 0, persistentClientExpiration: 3600, setTcpNodelay: true, ...options.global },
      });
      const broker = await startBroker(config, {
        verbosity: options.verbosity ?? 'none',
        plugins: options.plugins ?? [],
      });
      return new FuzzArena(clock, broker, handles);
    } catch (error) {
      clock.restore();
      throw error;
    }
  }

  /**
   * Waits until this holds, in real time; fails with `what` if it does not come to hold. The broker's clock stands still,
   * or makes a tick after so many turns.
   */
  async until(holds: () => boolean, what: () => string, turnsPerTick = 0): Promise<void> {
    const end = process.hrtime.bigint() + BigInt(PATIENCE_MS) * 1_000_000n;
    for (let turn = 0; !holds(); turn++) {
      this.checkTroubles();
      if (process.hrtime.bigint() > end) throw new Error(`did not happen: ${what()}`);
      if (turnsPerTick > 0 && turn % turnsPerTick === turnsPerTick - 1) await this.clock.advance(100);
      // Memory needs turns, sockets need time.
      await new Promise((resolve) => (turn < 50 ? setImmediate(resolve) : setTimeout(resolve, 1)));
    }
  }

  /** Fails with what nobody caught. */
  checkTroubles(): void {
    if (uncaught.length > 0) throw new Error(uncaught.splice(0).join('\n'));
  }

  /** Once every client has hung up and time has passed, the broker is as it was at the start. */
  async checkBaseline(): Promise<void> {
    const { core } = this;
    await this.until(
      () => core.peers.size === 0,
      () => `${core.peers.size} connections are still open`,
    );
    await this.clock.advance(FAR_MS);
    this.clearRetained();
    this.checkTroubles();
    assert.deepEqual(
      {
        connections: core.connections,
        listeners: this.listeners['open'].map(({ peers }) => peers.connections),
        sessions: core.registry.total,
        connected: core.registry.connected,
        subscriptions: core.trie.count,
        shared: core.trie.sharedCount,
        filters: core.trie['root'].children,
        wheel: core.wheel.size,
        retained: core.retained.count,
        retainedBytes: core.retained.bytes,
        topics: core.retained['root'].children,
        dirty: core.turn['dirty'].length,
        kept: core.kept.count,
        keptBytes: core.kept.bytes,
        keepers: core.kept.sessions,
      },
      {
        connections: 0,
        listeners: [0, 0],
        sessions: 0,
        connected: 0,
        subscriptions: 0,
        shared: 0,
        filters: null,
        wheel: 0,
        retained: 0,
        retainedBytes: 0,
        topics: null,
        dirty: 0,
        kept: 0,
        keptBytes: 0,
        keepers: 0,
      },
      'something stayed behind',
    );
  }

  async close(): Promise<void> {
    await this.broker.stop();
    this.clock.restore();
    await this.until(
      () => openHandles() <= this.handles,
      () => `sockets or timers are left: ${process.getActiveResourcesInfo()}`,
    );
    this.checkTroubles();
  }

  /** Clears every retained message the way clients do. */
  private clearRetained(): void {
    const topics: string[] = [];
    for (const message of this.core.retained['walk'](['#'])) if (message !== null) topics.push(message.topic.name);
    for (const topic of topics) this.broker.publish(topic, '', { retain: true });
  }
}
