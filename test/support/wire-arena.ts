// The place where a scenario is played: a broker in this process, and wires to it through memory or TCP.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Broker, startBroker } from '../../src/broker/broker.ts';
import type { Plugin } from '../../src/broker/hooks/points.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { memoryPair } from '../../src/net/memory.ts';
import type { Transport } from '../../src/net/transport.ts';
import { memoryWire, ScriptedPeer, tcpWire } from './scripted-peer.ts';
import { settle, WireClock } from './wire-clock.ts';
import { Disk } from './wire-disk.ts';
import type { Case } from './wire-parse.ts';
import { pluginNamed, slowed, undecided } from './wire-plugins.ts';
import { textOf, type Word } from './wire-text.ts';

/** How clients reach the broker: `late` is memory with plugins that take their time and chunks cut anywhere, `stored` is memory with a store, compacted before the broker ends. */
export type Mode = 'memory' | 'tcp' | 'late' | 'stored';

/** Where stores of scenarios are: in memory, where the system has files there, for thousands come and go. The disk is a stand-in anyway. */
const WHERE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** What is different after a restart. */
export interface Change {
  /** Whether the broker is killed: its clients learn nothing, and only what is on disk by then is there again. */
  readonly isCrash: boolean;
  /** Seconds that the broker is away. */
  readonly away: number;
  /** Lines of mosquitto.conf in the place of those with the same option, and rules in the place of all others. */
  readonly config: readonly string[];
  readonly acl: readonly string[];
}

/** The words of a restart: `away=3 config="max_qos 1" acl="topic read #"`. */
export function changeOf(words: readonly Word[], isCrash: boolean): Change {
  const linesOf = (option: string) => words.filter(({ key }) => key === option).map(textOf);
  return { isCrash, away: Number(linesOf('away')[0] ?? 0), config: linesOf('config'), acl: linesOf('acl') };
}

/** What a scenario needs of its surroundings. */
export interface Arena {
  /** For messages. */
  readonly name: string;
  readonly clock: Pick<WireClock, 'advance'>;
  /** What the store is written to. */
  readonly disk: Disk;
  connect(): ScriptedPeer;
  /** Resolves when the broker has noticed the end of this client's connection. */
  gone(clientId: string): Promise<void>;
  /** Lets everything happen that is due by itself. */
  settle(): Promise<void>;
  /** Says goodbye to the clients and ends. */
  stop(): Promise<void>;
  /** Ends the broker, one way or the other, and starts another one on what it has left. */
  restart(change: Change): Promise<void>;
  close(): Promise<void>;
}

/** Wraps the broker's end of a connection through memory. */
export type Tap = (transport: Transport) => Transport;

/** Starts the broker of a case. `tap` is given the broker's end of each connection through memory. */
export async function openArena(scenario: Case, mode: Mode, tap: Tap = (transport) => transport): Promise<Arena> {
  const arena = new WireArena(scenario, mode, tap);
  try {
    await arena.start();
    return arena;
  } catch (error) {
    arena.cleanUp();
    throw error;
  }
}

class WireArena implements Arena {
  readonly name: Mode;
  readonly clock: WireClock;
  readonly disk: Disk;
  private readonly watch: Watch;
  private readonly scenario: Case;
  private readonly tap: Tap;
  private readonly folder: string;
  private readonly random: () => number;
  private readonly undoDisk: () => void;
  private config: readonly string[];
  private acl: readonly string[];
  private broker: Broker | null;
  /** Where the store is: another folder after each crash. */
  private generation: number;

  constructor(scenario: Case, mode: Mode, tap: Tap) {
    this.name = mode;
    this.clock = new WireClock();
    this.disk = new Disk();
    this.watch = new Watch();
    this.scenario = scenario;
    this.tap = tap;
    this.folder = mkdtempSync(path.join(WHERE, 'wire-'));
    this.random = makeRandom();
    this.undoDisk = this.disk.use();
    this.config = mode === 'stored' ? [...scenario.config, 'persistence true'] : scenario.config;
    this.acl = scenario.acl;
    this.broker = null;
    this.generation = 0;
  }

  async start(): Promise<void> {
    mkdirSync(this.storeFolder, { recursive: true });
    const plugins = [this.watch.plugin, ...pluginsOf(this.scenario, this.name === 'late')];
    this.broker = await startBroker(this.configuration(), { verbosity: 'none', plugins });
  }

  connect(): ScriptedPeer {
    const broker = this.broker!;
    if (this.name === 'tcp') return new ScriptedPeer(tcpWire(broker.ports[0] ?? 0));
    const { random } = this;
    const [ours, theirs] = memoryPair(this.name === 'late' ? { random, refuse: 0.2, longestChunk: 9 } : {});
    broker.accept(this.tap(theirs));
    return new ScriptedPeer(memoryWire(ours));
  }

  gone(clientId: string): Promise<void> {
    return this.watch.gone(clientId);
  }

  async settle(): Promise<void> {
    await settle();
    await this.disk.quiet();
    await settle();
  }

  async stop(): Promise<void> {
    await this.broker!.stop();
  }

  async restart({ isCrash, away, config, acl }: Change): Promise<void> {
    if (this.name === 'stored' && this.disk.isWorking) {
      // Once more written anew, all of it is still the same.
      this.broker!.compact();
      await this.settle();
    }
    if (isCrash) this.leaveAsItIs();
    this.disk.mend();
    this.disk.release();
    await this.stop();
    await this.clock.advance(away * 1000);
    this.config = [...this.config.filter((line) => !config.some((other) => isSameOption(line, other))), ...config];
    if (acl.length > 0) this.acl = acl;
    await this.start();
  }

  async close(): Promise<void> {
    try {
      this.disk.mend();
      this.disk.release();
      await this.stop();
    } finally {
      this.cleanUp();
    }
  }

  cleanUp(): void {
    this.undoDisk();
    this.clock.restore();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get storeFolder(): string {
    return path.join(this.folder, String(this.generation));
  }

  /** The next broker starts on what is on disk now; the lock that this one holds is none for it. */
  private leaveAsItIs(): void {
    const left = this.storeFolder;
    this.generation += 1;
    cpSync(left, this.storeFolder, { recursive: true, filter: (name) => path.basename(name) !== 'lock' });
  }

  /** The configuration of a case: its lines behind a listener on a port that the system chooses. */
  private configuration(): Config {
    const { folder, config, acl } = this;
    const lines = ['listener 1883 127.0.0.1', 'allow_anonymous true', 'log_type none', 'set_tcp_nodelay true'];
    lines.push(`persistence_location ${this.storeFolder}`, 'persistence_sync off');
    if (config.every((line) => !line.startsWith('sys_interval'))) lines.push('sys_interval 0');
    if (acl.length > 0) {
      const aclFile = path.join(folder, 'acl');
      writeFileSync(aclFile, `${acl.join('\n')}\n`);
      lines.push(`acl_file ${aclFile}`);
    }
    const file = path.join(folder, 'mosquitto.conf');
    writeFileSync(file, `${[...lines, ...config].join('\n')}\n`);
    const loaded = loadConfig(file, {}).config;
    return { ...loaded, listeners: loaded.listeners.map((listener) => ({ ...listener, port: 0 })) };
  }
}

/** Whether two lines of mosquitto.conf set the same option. */
const isSameOption = (line: string, other: string): boolean => line.split(' ')[0] === other.split(' ')[0];

function pluginsOf(scenario: Case, areLate: boolean): Plugin[] {
  const plugins = scenario.plugins.map(pluginNamed);
  if (!areLate) return plugins;
  const decidesRights = scenario.acl.length === 0 && plugins.every((plugin) => plugin.authorize === undefined);
  return [...plugins, undecided(decidesRights)].map(slowed);
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
