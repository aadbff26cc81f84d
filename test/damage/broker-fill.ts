// A store that real brokers have made: durable sessions that are there or away, messages that wait or are in flight, retained
// messages and wills; several lives, of which some end by a kill. Everything that was ever published is known.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { connect } from '../../src/client/client.ts';
import type { Client, ClientOptions, ReceivedMessage } from '../../src/client/options.ts';
import type { Dice } from '../support/fuzz-dice.ts';
import { Program } from '../support/process.ts';

const KEEPERS = 8;
const LIVES = 4;
const EACH_LIFE = 150;
const LIMIT_MS = 60_000;

/** Where brokers of one store run. */
export interface Place {
  /** Of the configuration; the store is in it too. */
  readonly folder: string;
  readonly port: number;
  /** The broker's file. */
  readonly program: string;
}

/** Folder of a place's store. */
export const storeOf = ({ folder }: Place): string => path.join(folder, 'mosquitto.store');

/** Starts a broker on the store of a place. */
export function startAt({ folder, port, program }: Place, corruption: 'recover' | 'refuse'): Program {
  const lines = [
    'log_type all',
    'log_dest stderr',
    'persistence true',
    `persistence_location ${folder}`,
    `persistence_on_corruption ${corruption}`,
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    '',
  ];
  const file = path.join(folder, 'm.conf');
  writeFileSync(file, lines.join('\n'));
  const options = { cwd: folder, timeout: LIMIT_MS };
  return new Program(process.execPath, [program, '-c', file], options);
}

/** Resolves when a broker takes clients. */
export const running = (broker: Program): Promise<void> => broker.seen(/mqtt-broker version \S+ running/, 'stderr');

/** Connects a client to the broker of a place. */
export function joinAt({ port }: Place, options: Partial<ClientOptions> = {}): Promise<Client> {
  return connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port }, ...options });
}

/** A client whose session outlives its connection. */
export function keeperAt(place: Place, clientId: string, options: Partial<ClientOptions> = {}): Promise<Client> {
  return joinAt(place, { clientId, cleanStart: false, properties: { sessionExpiryInterval: 100_000 }, ...options });
}

/** What was published, by its payload. */
export class Published {
  private readonly topics = new Map<string, string>();

  /** A payload like no other, for a topic. */
  payload(topic: string, dice: Dice): string {
    const payload = `${this.topics.size} ${'x'.repeat(dice.chance(0.2) ? dice.below(3000) : dice.below(100))}`;
    this.topics.set(payload, topic);
    return payload;
  }

  /** Throws for a message that nobody has published. */
  check({ topic, payload }: Pick<ReceivedMessage, 'topic' | 'payload'>): void {
    const text = payload.toString();
    // What clears a retained message has nothing in it.
    if (this.topics.get(text) === topic || (text === '' && topic.startsWith('kept/'))) return;
    throw new Error(`a message on ${topic} that nobody published: ${text.slice(0, 80)}`);
  }
}

/** Makes the store of a place. */
export async function fillByBrokers(place: Place, dice: Dice): Promise<Published> {
  mkdirSync(place.folder, { recursive: true });
  const published = new Published();
  for (let life = 0; life < LIVES; life++) {
    const broker = startAt(place, 'refuse');
    await running(broker);
    await live(place, published, dice);
    if (dice.chance(0.5)) broker.signal('SIGKILL');
    await broker.stop();
  }
  return published;
}

async function live(place: Place, published: Published, dice: Dice): Promise<void> {
  const keepers: Client[] = [];
  for (let number = 0; number < KEEPERS; number++) {
    if (dice.chance(0.4)) continue;
    const keeper = await keeperAt(place, `k${number}`, willOf(number, published, dice));
    await keeper.subscribe(
      [`to/${number}/#`, 'all/#', `kept/${number}`].map((filter) => ({ filter, qos: dice.between(0, 2) })),
      dice.chance(0.5) ? { subscriptionIdentifier: dice.between(1, 99) } : {},
    );
    if (dice.chance(0.1)) await keeper.unsubscribe('all/#');
    keepers.push(keeper);
  }
  for (const keeper of keepers) if (dice.chance(0.5)) await keeper.end();
  const publisher = await joinAt(place);
  for (let count = 0; count < EACH_LIFE; count++) {
    const topic = dice.pick([`to/${dice.below(KEEPERS)}/${count}`, `all/${count}`, `kept/${dice.below(12)}`]);
    const retain = topic.startsWith('kept/');
    const payload = retain && dice.chance(0.1) ? '' : published.payload(topic, dice);
    // The last ones are on their way when the broker ends.
    const sent = publisher.publish(topic, payload, { qos: dice.pick([1, 2] as const), retain });
    if (count < EACH_LIFE - 20) await sent;
    else sent.catch(() => undefined);
  }
}

function willOf(number: number, published: Published, dice: Dice): Partial<ClientOptions> {
  if (dice.chance(0.6)) return {};
  const topic = `will/${number}`;
  const payload = Buffer.from(published.payload(topic, dice));
  return { will: { topic, payload, qos: 1, retain: false, properties: { willDelayInterval: dice.pick([0, 1000]) } } };
}
