// Paho's Python client as a player of the scenarios: a process that is told what to do in JSON lines.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Properties } from '../../src/protocol/properties.ts';
import { repository } from '../support/process.ts';
import {
  type ConnectWish,
  type Got,
  type Level,
  Mailbox,
  type Maker,
  type Place,
  type Player,
  Refused,
} from './player.ts';

/** Debian's Python, which sees the packages of Debian. */
const PYTHON = '/usr/bin/python3';

/** The reason to skip tests that need Paho for Python; false where it is installed. */
export const noPaho: string | false =
  spawnSync(PYTHON, ['-c', 'import paho.mqtt.client']).status === 0 ? false : 'python3-paho-mqtt is not installed';

interface Answer {
  readonly n?: number;
  readonly ok?: unknown;
  readonly refused?: number;
  readonly error?: string;
  readonly client?: number;
  readonly message?: Got;
  readonly gone?: number | null;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** What the process tells of one client. */
interface Client {
  readonly messages: Mailbox<Got>;
  readonly over: Promise<number | null>;
  readonly leave: (code: number | null) => void;
}

/** Starts the process. */
export function startPaho(): Maker {
  const script = path.join(repository, 'test', 'interop', 'paho-player.py');
  const process: ChildProcessWithoutNullStreams = spawn(PYTHON, [script], { stdio: 'pipe' });
  const waiting = new Map<number, Waiting>();
  const clients: Client[] = [];
  let asked = 0;
  let complaints = '';
  process.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = new Promise<void>((resolve) => {
    process.once('close', () => {
      for (const { reject } of waiting.values()) reject(new Error(`Paho's process ended: ${complaints}`));
      resolve();
    });
  });
  createInterface(process.stdout).on('line', (line) => {
    const { n = 0, ok, refused, error, client, message, gone } = JSON.parse(line) as Answer;
    const about = client === undefined ? undefined : clients[client];
    if (message !== undefined) about?.messages.put({ ...message, properties: taken(message.properties) });
    if (gone !== undefined) about?.leave(gone);
    const asker = waiting.get(n);
    waiting.delete(n);
    if (refused !== undefined) asker?.reject(new Refused(refused));
    else if (error !== undefined) asker?.reject(new Error(`${error}\n${complaints}`));
    else asker?.resolve(ok);
  });
  const ask = (what: Record<string, unknown>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, { resolve, reject });
      process.stdin.write(`${JSON.stringify({ n: asked, ...what })}\n`);
    });

  const dial = async (place: Place, level: Level, wish: ConnectWish): Promise<Player> => {
    const number = clients.length;
    let leave: (code: number | null) => void = () => undefined;
    const over = new Promise<number | null>((resolve) => (leave = resolve));
    const client: Client = { messages: new Mailbox(), over, leave };
    clients.push(client);
    const { will } = wish;
    const granted = await ask({
      do: 'dial',
      client: number,
      ...place,
      level,
      clean: true,
      reconnects: false,
      ...wish,
      properties: given(wish.properties),
      ...(will === undefined ? {} : { will: { qos: 0, retain: false, ...will, properties: given(will.properties) } }),
    });
    const { present, properties } = granted as { present: boolean; properties: Properties };
    return {
      present,
      properties: taken(properties),
      async publish(topic, payload, { qos = 0, retain = false, properties: extra } = {}) {
        await ask({ do: 'publish', client: number, topic, payload, qos, retain, properties: given(extra) });
        return null;
      },
      async subscribe(filters, extra) {
        const off = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };
        const full = filters.map((filter) => ({ ...off, ...filter }));
        return (await ask({ do: 'subscribe', client: number, filters: full, properties: given(extra) })) as number[];
      },
      async unsubscribe(filters) {
        await ask({ do: 'unsubscribe', client: number, filters });
      },
      next: () => client.messages.take(),
      async end(code = 0, extra = {}) {
        await ask({ do: 'end', client: number, code, properties: given(extra) });
        await over;
      },
      async cut() {
        await ask({ do: 'cut', client: number });
      },
      gone: () => over,
    };
  };
  return {
    name: 'Paho for Python',
    lacks: ['reason codes of publish'],
    dial,
    close: () => {
      process.stdin.end();
      process.kill();
      return ended;
    },
  };
}

/** Properties as the process takes them. */
function given(properties: Properties = {}): Record<string, unknown> {
  const { correlationData, ...others } = properties;
  return correlationData === undefined ? others : { ...others, correlationData: correlationData.toString('latin1') };
}

/** Properties from the process, in the project's form. */
function taken(properties: Properties): Properties {
  const { correlationData, subscriptionIdentifier, ...others } = properties as Record<string, unknown>;
  const found: Properties = others as Properties;
  if (typeof correlationData === 'string') found.correlationData = Buffer.from(correlationData, 'latin1');
  if (subscriptionIdentifier !== undefined) found.subscriptionIdentifiers = [subscriptionIdentifier].flat() as number[];
  return found;
}
