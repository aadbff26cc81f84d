// A client connected to a scripted broker.
import type { TestContext } from 'node:test';
import { connectVia } from '../../../src/client/client.ts';
import type { Client, ClientOptions } from '../../../src/client/options.ts';
import type { MemoryPairOptions } from '../../../src/net/memory.ts';
import type { ConnackPacket } from '../../../src/protocol/packets.ts';
import { type BrokerSide, NOWHERE, ScriptedBroker } from './scripted-broker.ts';

export interface Setup {
  readonly client: Client;
  readonly broker: ScriptedBroker;
  readonly side: BrokerSide;
}

/** Connects; the broker answers with this CONNACK. Everything is closed when the test is over. */
export async function setUp(
  context: TestContext,
  options: Partial<ClientOptions> = {},
  connack: Partial<ConnackPacket> = {},
  pair: MemoryPairOptions = {},
): Promise<Setup> {
  const broker = new ScriptedBroker(pair);
  const connecting = connectVia({ ...NOWHERE, ...options }, broker);
  const side = await broker.accept();
  await side.admit(connack);
  const client = await connecting;
  context.after(() => {
    side.transport.destroy();
    return client.end();
  });
  return { client, broker, side };
}

/** Loop turns, enough for whatever is on its way over memory to arrive. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The next occurrence of an event without interest in its arguments but the first. */
export function closed(client: Client): Promise<Error | null> {
  return new Promise((resolve) => client.on('close', resolve));
}
