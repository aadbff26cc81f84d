// The place where a scenario is played: a broker in this process, and wires to it through memory or TCP.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Broker, startBroker } from '../../src/broker/broker.ts';
import type { Plugin } from '../../src/broker/hooks/points.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { memoryPair } from '../../src/net/memory.ts';
import type { Transport } from '../../src/net/transport.ts';
import { memoryWire, ScriptedPeer, tcpWire } from './scripted-peer.ts';
import { WireClock } from './wire-clock.ts';
import type { Case } from './wire-parse.ts';
import { pluginNamed, slowed, undecided } from './wire-plugins.ts';

/** How clients reach the broker: `late` is memory with plugins that take their time and chunks cut anywhere. */
export type Mode = 'memory' | 'tcp' | 'late';

/** What a scenario needs of its surroundings. */
export interface Arena {
  /** For messages. */
  readonly name: string;
  readonly clock: Pick<WireClock, 'advance'>;
  readonly broker: Pick<Broker, 'stop'>;
  connect(): ScriptedPeer;
  /** Resolves when the broker has noticed the end of this client's connection. */
  gone(clientId: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts the broker of a case. `tap` is given the broker's end of each connection through memory and may wrap it. */
export async function openArena(
  scenario: Case,
  mode: Mode,
  tap: (transport: Transport) => Transport = (transport) => transport,
): Promise<Arena> {
  const clock = new WireClock();
  const watch = new Watch();
  const folder = mkdtempSync(path.join(tmpdir(), 'wire-'));
  const cleanUp = () => {
    clock.restore();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const plugins = [watch.plugin, ...pluginsOf(scenario, mode === 'late')];
    const broker = await startBroker(configOf(scenario, folder), { verbosity: 'none', plugins });
    const random = makeRandom();
    return {
      name: mode,
      clock,
      broker,
      connect() {
        if (mode === 'tcp') return new ScriptedPeer(tcpWire(broker.ports[0] ?? 0));
        const [ours, theirs] = memoryPair(mode === 'late' ? { random, refuse: 0.2, longestChunk: 9 } : {});
        broker.accept(tap(theirs));
        return new ScriptedPeer(memoryWire(ours));
      },
      gone: (clientId) => watch.gone(clientId),
      async close() {
        await broker.stop();
        cleanUp();
      },
    };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

function pluginsOf(scenario: Case, areLate: boolean): Plugin[] {
  const plugins = scenario.plugins.map(pluginNamed);
  if (!areLate) return plugins;
  const decidesRights = scenario.acl.length === 0 && plugins.every((plugin) => plugin.authorize === undefined);
  return [...plugins, undecided(decidesRights)].map(slowed);
}

/** The configuration of a case: its lines behind a listener on a port that the system chooses. */
function configOf(scenario: Case, folder: string): Config {
  const lines = ['listener 1883 127.0.0.1', 'allow_anonymous true', 'log_type none', 'set_tcp_nodelay true'];
  if (scenario.config.every((line) => !line.startsWith('sys_interval'))) lines.push('sys_interval 0');
  if (scenario.acl.length > 0) {
    const aclFile = path.join(folder, 'acl');
    writeFileSync(aclFile, `${scenario.acl.join('\n')}\n`);
    lines.push(`acl_file ${aclFile}`);
  }
  const file = path.join(folder, 'mosquitto.conf');
  writeFileSync(file, `${[...lines, ...scenario.config].join('\n')}\n`);
  const { config } = loadConfig(file, {});
  return { ...config, listeners: config.listeners.map((listener) => ({ ...listener, port: 0 })) };
}

/** Knows which clients the broker let go. */
class Watch {
  readonly plugin: Plugin;
  private readonly left = new Map<string, number>();
  private wake: () => void = () => undefined;

  constructor() {
    this.plugin = {
      name: 'watch',
      disconnected: ({ clientId }) => {
        this.left.set(clientId, (this.left.get(clientId) ?? 0) + 1);
        this.wake();
      },
    };
  }

  /** Resolves at the next end of a connection of this client. */
  async gone(clientId: string): Promise<void> {
    const before = this.left.get(clientId) ?? 0;
    while ((this.left.get(clientId) ?? 0) === before) await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

/** Numbers in [0, 1) that are the same in every run (a linear congruential generator). */
function makeRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
