// The project's client library as a player of the scenarios.
import { readFileSync } from 'node:fs';
import { connectVia } from '../../src/client/client.ts';
import { ConnectRefused } from '../../src/client/errors.ts';
import type { Client, Endpoint } from '../../src/client/options.ts';
import { dialer } from '../../src/net/endpoint.ts';
import type { Dialer, Transport } from '../../src/net/transport.ts';
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

const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5' } as const;

async function dial(place: Place, level: Level, wish: ConnectWish): Promise<Player> {
  const { kind, port, ca } = place;
  const endpoint: Endpoint = {
    kind,
    host: 'localhost',
    port,
    ...(kind === 'tls' ? { tls: { ca: readFileSync(ca) } } : {}),
  };
  // The transport is kept, to break it.
  let transport: Transport | null = null;
  const inner = dialer(endpoint);
  const keeping: Dialer = { dial: async (signal) => (transport = await inner.dial(signal)) };
  const { id, clean = true, will, properties = {}, username, password, reconnects = false } = wish;
  const client = await connectVia(
    {
      endpoint,
      version: VERSIONS[level],
      clientId: id,
      cleanStart: clean,
      properties,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(will === undefined
        ? {}
        : {
            will: {
              topic: will.topic,
              payload: Buffer.from(will.payload),
              qos: will.qos ?? 0,
              retain: will.retain ?? false,
              properties: will.properties ?? {},
            },
          }),
      reconnect: reconnects ? { minDelayMs: 10, maxDelayMs: 20 } : null,
    },
    keeping,
  ).catch((error: unknown) => {
    throw error instanceof ConnectRefused
      ? new Refused(level === 5 ? error.reason.code : (error.returnCode ?? 0))
      : error;
  });
  return playerOf(client, () => transport?.destroy());
}

function playerOf(client: Client, cut: () => void): Player {
  const messages = new Mailbox<Got>();
  let said: number | null = null;
  const over = new Promise<number | null>((resolve) => {
    client.on('close', () => resolve(said));
  });
  client.on('disconnect', (reason) => {
    said = reason.code;
  });
  client.on('message', ({ topic, payload, qos, retain, properties }) => {
    messages.put({ topic, payload: payload.toString(), qos, retain, properties });
  });
  return {
    present: client.info.sessionPresent,
    properties: client.info.properties,
    publish: async (topic, payload, wish = {}) => (await client.publish(topic, payload, wish)).reason.code,
    subscribe: async (filters, properties = {}) => (await client.subscribe(filters, properties)).codes,
    unsubscribe: async (filters) => {
      await client.unsubscribe(filters);
    },
    next: () => messages.take(),
    end: (code = 0, properties = {}) => client.end(code, properties),
    cut: async () => {
      cut();
      await over;
    },
    gone: () => over,
  };
}

/** The project's client. */
export const ownMaker: Maker = { name: 'the client of mqtt-suite', lacks: [], dial, close: () => Promise.resolve() };
