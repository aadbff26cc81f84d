// Brokers inside the test's own process, their log in a file, and clients that are gone when the test is over.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Broker, type BrokerOptions, startBroker } from '../../src/broker/broker.ts';
import { connect } from '../../src/client/client.ts';
import { ConnectRefused } from '../../src/client/errors.ts';
import type { Client, ClientOptions, ReceivedMessage } from '../../src/client/options.ts';
import { type ConfigInput, configFrom } from '../../src/config/from-program.ts';
import { loadConfig } from '../../src/config/load.ts';

const WAIT_MS = 20_000;

/** Resolves as soon as this is true; fails with `what` if it does not become so. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
    await delay(2);
  }
}

/** A folder of the test's own, removed when the test ends. */
export function scratch(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-broker-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A log file. */
export class LogFile {
  readonly path: string;

  constructor(file: string) {
    this.path = file;
  }

  get text(): string {
    return readFileSync(this.path, 'utf8');
  }

  /** Times that a text stands in it. */
  count(text: string): number {
    return this.text.split(text).length - 1;
  }

  /** Resolves when a text has been logged. */
  async seen(text: string | RegExp): Promise<void> {
    const isThere = () => (typeof text === 'string' ? this.text.includes(text) : text.test(this.text));
    await until(isThere, `${text} in the log`).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.text}`);
    });
  }
}

/** A running broker, its first port and its log. */
export interface Rig {
  readonly broker: Broker;
  readonly port: number;
  readonly log: LogFile;
  readonly folder: string;
}

async function run(
  context: TestContext,
  folder: string,
  config: Parameters<typeof startBroker>[0],
  options: BrokerOptions,
): Promise<Rig> {
  const broker = await startBroker(config, { verbosity: 'all', ...options });
  context.after(() => broker.stop());
  return { broker, port: broker.ports[0]!, log: new LogFile(path.join(folder, 'log')), folder };
}

/** Starts a broker from a program's options, on a free port unless they name listeners, and stops it after the test. */
export function open(context: TestContext, input: ConfigInput = {}, options: BrokerOptions = {}): Promise<Rig> {
  const folder = scratch(context);
  const log = { to: 'file', path: path.join(folder, 'log') } as const;
  const config = configFrom({ listeners: [{ port: 0 }], ...input, global: { logDest: [log], ...input.global } });
  return run(context, folder, config, options);
}

/** A broker started from a file, which can be written anew and reloaded. */
export interface FileRig extends Rig {
  /** Writes a file into the broker's folder, readable by its owner only. */
  write(name: string, text: string): string;
  /** Replaces the configuration (null keeps it) and has the broker reload. */
  reload(lines?: readonly string[] | null): Promise<void>;
}

/**
 * Starts a broker from the lines of a configuration file. `FOLDER` in them stands for the folder of `files`, which are
 * written there first.
 */
export async function openFile(
  context: TestContext,
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
  options: BrokerOptions = {},
): Promise<FileRig> {
  const folder = scratch(context);
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const configure = (text: readonly string[]): string =>
    write('m.conf', ['log_dest file FOLDER/log', ...text, ''].join('\n').replaceAll('FOLDER', folder));
  for (const [name, text] of Object.entries(files)) write(name, text);
  const { config, warnings } = loadConfig(configure(lines), {});
  const rig = await run(context, folder, config, { notes: warnings, ...options });
  return {
    ...rig,
    write,
    reload: (next = null) => {
      if (next !== null) configure(next);
      return rig.broker.reload();
    },
  };
}

/** Messages that a client received and nobody took yet, in their order. */
class Inbox {
  readonly waiting: ReceivedMessage[] = [];
  private readonly events = new EventEmitter();

  constructor(client: Client) {
    client.on('message', (message) => {
      this.waiting.push(message);
      this.events.emit('change');
    });
  }

  /** Takes the next message. */
  async next(): Promise<ReceivedMessage> {
    const signal = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      const message = this.waiting.shift();
      if (message !== undefined) return message;
      await once(this.events, 'change', { signal });
    }
  }

  /** The next message as `topic payload`. */
  async text(): Promise<string> {
    const { topic, payload } = await this.next();
    return `${topic} ${payload}`;
  }
}

/** A connected client, with its messages. */
export interface Joined extends Client {
  readonly inbox: Inbox;
}

/** Connects a client over plain TCP, or to another endpoint; it leaves after the test. */
export async function join(context: TestContext, port: number, options: Partial<ClientOptions> = {}): Promise<Joined> {
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const client = await connect({ endpoint, ...options });
  context.after(() => client.end());
  return Object.assign(client, { inbox: new Inbox(client) });
}

/** The return code (3.1, 3.1.1) or reason code (5) that a connection attempt is refused with; 0 if it is let in. */
export async function refusal(port: number, options: Partial<ClientOptions> = {}): Promise<number> {
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port } as const;
  try {
    const client = await connect({ endpoint, ...options });
    await client.end();
    return 0;
  } catch (error) {
    assert.ok(error instanceof ConnectRefused, String(error));
    return error.returnCode === 0 ? error.reason.code : error.returnCode;
  }
}

/**
 * Fails if a message came that was not looked at, or is on its way: a message of the client's own overtakes none.
 * Rights must allow the topic round/trip.
 */
export async function nothingCame(client: Joined): Promise<void> {
  await client.subscribe('round/trip');
  await client.publish('round/trip', 'done', { qos: 1 });
  assert.equal(await client.inbox.text(), 'round/trip done');
  await client.unsubscribe('round/trip');
}
