// One run with real brokers: their store is damaged, and they start on it or refuse, say so in true numbers, and give clients
// only what was published.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { RELEASES } from '../../src/broker/store/records.ts';
import type { Recovered } from '../../src/broker/store/recover.ts';
import type { StateMessage, StoreState } from '../../src/broker/store/state.ts';
import type { Client, ReceivedMessage } from '../../src/client/options.ts';
import { until } from '../broker/harness.ts';
import { Dice } from '../support/fuzz-dice.ts';
import { joinAt, keeperAt, type Place, type Published, running, startAt, storeOf } from './broker-fill.ts';
import { damage } from './kinds.ts';
import { hasOld, isDamaged, type Reading, read } from './reading.ts';

/**
 * Damages a copy of a store that brokers have made, and starts brokers on it. Throws what is wrong; returns what was done.
 * @param from the store's place
 * @param place where to work
 */
export async function runBroker(seed: number, from: Place, place: Place, published: Published): Promise<string> {
  const dice = new Dice(seed);
  rmSync(place.folder, { recursive: true, force: true });
  cpSync(from.folder, place.folder, { recursive: true });
  const store = storeOf(place);
  rmSync(path.join(store, 'lock'), { force: true });
  const done = damage(store, dice);
  const reading = read(store);
  try {
    if (isDamaged(reading.found)) await refuse(place);
    await recover(place, reading, published);
  } catch (error) {
    throw new Error(`seed ${seed} (${done.join('; ')}): ${(error as Error).message}`, { cause: error });
  }
  return done.join('; ');
}

/** Told to refuse, the broker ends with a sentence and leaves all as it was. */
async function refuse(place: Place): Promise<void> {
  const before = contentsOf(storeOf(place));
  const { code, stderr } = await startAt(place, 'refuse').ended;
  assert.equal(code, 1, stderr);
  assert.match(
    stderr,
    /Error: .*the store .* is damaged \(.*\); persistence_on_corruption refuse leaves it as it is\./i,
  );
  assert.deepEqual(contentsOf(storeOf(place)), before, 'refused, and changed');
}

function contentsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name !== 'lock');
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), 'latin1')]));
}

/** Told to recover, it starts and says what is lost; clients get what is left. The next start finds all in order. */
async function recover(place: Place, { found, state }: Reading, published: Published): Promise<void> {
  const broker = startAt(place, 'recover');
  try {
    await running(broker);
    checkWords(broker.stderr, found, state);
    await checkClients(place, state, published);
    if (isDamaged(found)) await until(() => !hasOld(storeOf(place), found.lastGroup), 'all is written anew');
  } finally {
    const { code, stderr } = await broker.stop();
    assert.equal(code, 0, stderr);
  }
  const again = read(storeOf(place));
  assert.equal(isDamaged(again.found), false, 'the same damage is there again');
  assert.deepEqual(again.state.lost, { sessions: 0, subscriptions: 0, entries: 0, records: 0 });
}

/** What the broker says is what a second look at its files finds. */
function checkWords(
  log: string,
  { damages, missingGroups }: Recovered,
  { sessions, retained, lost }: StoreState,
): void {
  const [, ...told] =
    /damaged: (\d+) bytes? in (\d+) places? can't be read, and (\d+) groups? of records/.exec(log) ?? [];
  const bytes = damages.reduce((sum, { length }) => sum + length, 0);
  const isTold = damages.length > 0 || missingGroups > 0;
  assert.deepEqual(told.map(Number), isTold ? [bytes, damages.length, missingGroups] : []);
  const useless =
    /without what they belong to: (\d+) sessions?, (\d+) subscriptions?, (\d+) messages? for clients/.exec(log);
  if (isTold) assert.deepEqual(useless?.slice(1).map(Number), [lost.sessions, lost.subscriptions, lost.entries]);
  let subscriptions = 0;
  let entries = 0;
  for (const session of sessions.values()) {
    subscriptions += session.subscriptions.size;
    entries += session.entries.size;
  }
  const restored =
    /Restored from \S+: (\d+) sessions?, (\d+) subscriptions?, (\d+) messages? for clients, (\d+) retained/.exec(log);
  assert.deepEqual(restored?.slice(1).map(Number), [sessions.size, subscriptions, entries, retained.size], log);
}

/** Every client that comes back gets what is left for it, and everything that anybody gets was published. */
async function checkClients(place: Place, state: StoreState, published: Published): Promise<void> {
  const clients: Client[] = [];
  const all: ReceivedMessage[] = [];
  try {
    for (const { facts, entries, number } of state.sessions.values()) {
      const { clientId } = facts!;
      // An older session of the same client, whose end is lost, gives way to the newer one.
      if ([...state.sessions.values()].some((other) => other.number > number && other.facts?.clientId === clientId))
        continue;
      const received: ReceivedMessage[] = [];
      const client = await keeperAt(place, clientId, {});
      client.on('message', (message) => {
        received.push(message);
        all.push(message);
      });
      clients.push(client);
      const expected = entries.values().filter(({ step }) => step !== RELEASES);
      const texts = expected.map(({ message }) => textOf(state.messages.get(message)!));
      const isComplete = () =>
        isWithin(
          texts,
          received.map(({ topic, payload }) => `${topic} ${payload}`),
        );
      await until(isComplete, `${texts.length} messages for ${clientId}, who got ${received.length}`);
    }
    const retained: ReceivedMessage[] = [];
    const probe = await joinAt(place);
    clients.push(probe);
    probe.on('message', (message) => retained.push(message));
    await probe.subscribe({ filter: '#', qos: 1 });
    const texts = [...state.retained.values()].map((number) => textOf(state.messages.get(number)!));
    const isComplete = () =>
      isWithin(
        texts,
        retained.map(({ topic, payload }) => `${topic} ${payload}`),
      );
    await until(isComplete, `${texts.length} retained messages`);
    assert.equal(retained.filter(({ retain }) => retain).length, texts.length, 'retained messages');
    for (const message of [...all, ...retained]) published.check(message);
  } finally {
    for (const client of clients) await client.end();
  }
}

function textOf({ topic, payload }: StateMessage): string {
  return `${topic} ${payload.buffer.toString('utf8', payload.start, payload.end)}`;
}

/** Whether all of these came, each as often. */
function isWithin(wanted: readonly string[], came: readonly string[]): boolean {
  const counts = new Map<string, number>();
  for (const one of came) counts.set(one, (counts.get(one) ?? 0) + 1);
  return wanted.every((one) => {
    const count = counts.get(one) ?? 0;
    counts.set(one, count - 1);
    return count > 0;
  });
}
