// Spawned brokers with a store, for tests of how they start and stop: a folder, its configuration, and what is in its files.
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { built, Program, type Result } from '../support/process.ts';
import { type Joined, join, scratch } from './harness.ts';

/** A client whose session and messages outlive it. */
const KEEPS = { clientId: 'keeper', cleanStart: false, properties: { sessionExpiryInterval: 1000 } } as const;

/** A configuration with a store, and the brokers that are started with it. */
export class StoreRig {
  readonly port: number;
  /** Where the configuration and all that it names lie. */
  readonly folder: string;
  private readonly context: TestContext;

  constructor(context: TestContext, port: number) {
    this.context = context;
    this.port = port;
    this.folder = scratch(context);
    mkdirSync(this.at('db'));
    this.configure();
  }

  at(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  /** The folder of the store. */
  get store(): string {
    return this.at('db', 'mosquitto.store');
  }

  /** Names of the segments, oldest first. */
  get segments(): string[] {
    return readdirSync(this.store)
      .filter((name) => name.endsWith('.seg'))
      .sort();
  }

  /** Writes the configuration; `FOLDER` in the lines stands for the rig's. */
  configure(...lines: readonly string[]): void {
    const all = [
      'log_dest stderr',
      'log_type all',
      'persistence true',
      'persistence_location FOLDER/db',
      ...lines,
      `listener ${this.port} 127.0.0.1`,
      'allow_anonymous true',
      '',
    ];
    writeFileSync(this.at('m.conf'), all.join('\n').replaceAll('FOLDER', this.folder));
  }

  /** Starts a broker; it is ended with the test. */
  spawn(...args: readonly string[]): Program {
    const broker = new Program(process.execPath, [built('mqtt-broker'), '-c', this.at('m.conf'), ...args], {
      cwd: this.folder,
    });
    this.context.after(() => broker.stop());
    return broker;
  }

  /** Starts a broker and waits until it runs. */
  async run(): Promise<Program> {
    const broker = this.spawn();
    await broker.seen(/mqtt-broker version \S+ running/, 'stderr');
    return broker;
  }

  /** Starts a broker that is to end by itself. */
  fail(...args: readonly string[]): Promise<Result> {
    return this.spawn(...args).ended;
  }

  /** Makes a durable session that waits for messages, then publishes to it and leaves. */
  async fill(...texts: readonly string[]): Promise<void> {
    const keeper = await join(this.context, this.port, KEEPS);
    await keeper.subscribe({ filter: 'kept/#', qos: 1 });
    await keeper.end();
    const publisher = await join(this.context, this.port);
    for (const text of texts) await publisher.publish('kept/text', text, { qos: 1 });
    await publisher.end();
  }

  /** The durable session comes back: its messages are there, or on their way. */
  resume(): Promise<Joined> {
    return join(this.context, this.port, KEEPS);
  }

  /** Gives the rig's folders to a user, or to root. */
  give(uid: number, gid: number): void {
    for (const folder of [this.folder, this.at('db')]) chownSync(folder, uid, gid);
  }

  /** Every file below a folder with its contents, to be compared. */
  contents(folder = this.at('db')): Record<string, string> {
    const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = names.map(({ parentPath, name }) => path.join(parentPath, name)).sort();
    return Object.fromEntries(files.map((file) => [path.relative(folder, file), readFileSync(file, 'latin1')]));
  }
}

/** A rig with a port of its own. */
export async function storeRig(context: TestContext): Promise<StoreRig> {
  return new StoreRig(context, await freePort());
}
