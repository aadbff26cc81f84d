// The broker's store: opened and read at the start, its troubles told in the log, its figures counted, closed at the end.
import type { Config } from '../config/config.ts';
import { storeFolder } from '../config/store-folder.ts';
import type { PeerInfo } from '../net/transport.ts';
import { touch } from '../util/clock.ts';
import type { ClientContext } from './hooks/points.ts';
import { type FindListener, Restoring } from './restore.ts';
import type { Message } from './routing/message.ts';
import type { Core } from './settings.ts';
import { type OpenedStore, openStore } from './store/open-store.ts';
import { segmentName } from './store/segment.ts';
import type { StoreEvents } from './store/store.ts';
import { openInPlace } from './store-place.ts';

/** Damaged stretches that the log names one by one. */
const MOST_DAMAGES = 20;

/**
 * Opens the store that the configuration asks for, and builds the broker's state from it. Throws ConfigError with the place
 * of the option if the store can't be opened; its files are then as they were.
 */
export function openPersistence(config: Config, core: Core, find: FindListener): void {
  const { global } = config;
  if (!global.persistence) return;
  const start = performance.now();
  const folder = storeFolder(global);
  touch();
  const restoring = new Restoring(core, find);
  const opened = openInPlace(config, core.log, (place) =>
    openStore<Message>(
      {
        folder: place,
        mode: global.persistenceSync,
        intervalMs: global.persistenceSyncInterval,
        refusesDamage: global.persistenceOnCorruption === 'refuse',
        onLost: (error) => {
          throw error;
        },
      },
      eventsOf(core, folder),
      (facts) => restoring.message(facts),
    ),
  );
  const { store, state } = opened;
  core.store = store;
  core.retained.keeper = store;
  const found = countsOf(opened);
  logDamage(core, folder, opened);
  restoring.run(store, state);
  const took = Math.round(performance.now() - start);
  core.log.information?.(`Restored from ${folder}: ${found} (${took} ms).`);
  core.log.information?.(SYNC_WORDS[global.persistenceSync](global.persistenceSyncInterval));
}

/** Writes what is left and closes the store. */
export async function closePersistence(core: Core): Promise<void> {
  const { store } = core;
  if (store === null) return;
  core.store = null;
  core.retained.keeper = null;
  const isWhole = await store.close();
  const { groups, records, bytes, slowest } = store.figures;
  core.log.information?.(
    `The store took ${count(records, 'record')} in ${count(groups, 'group')}, ${count(bytes, 'byte')}; the slowest group was safe after ${slowest.toFixed(1)} ms.`,
  );
  if (isWhole) return;
  core.log.error?.(
    'Error: The store could not be written at the end; what it had promised to clients is safe, what was still waiting is not.',
  );
}

const SYNC_WORDS: Readonly<Record<'always' | 'interval' | 'off', (ms: number) => string>> = {
  always: () => 'persistence_sync always: an acknowledged message survives a crash of the broker and a power failure.',
  interval: (ms) =>
    `persistence_sync interval: an acknowledged message survives a crash of the broker; a power failure may cost the last ${ms} milliseconds.`,
  off: () =>
    'persistence_sync off: an acknowledged message survives a crash of the broker; a power failure may cost what the system has not written yet.',
};

function eventsOf(core: Core, folder: string): StoreEvents {
  const { log } = core;
  return {
    changed: () => core.turn.request(),
    failing: (error) =>
      log.error?.(
        `Error: The store ${folder} can't be written: ${error}. Nothing that must be stored is acknowledged until it can; the broker tries again each second.`,
      ),
    working: () => log.notice?.(`The store ${folder} can be written again; all that waited is stored.`),
    congested: (isCongested) => {
      if (!isCongested) core.store?.relieve();
      else log.debug?.(`Much waits for the store ${folder}: clients that add to it are held for a moment.`);
    },
    trouble: (what, error) => log.warning?.(`Warning: The store ${folder}: ${what} failed: ${error}.`),
    identify: (source) => {
      const { clientId, username, peer } = source as ClientContext;
      return { clientId, username, listener: listenerOf(core, peer) };
    },
  };
}

function listenerOf(core: Core, peer: PeerInfo): string {
  return core.origins.get(peer)?.key ?? '';
}

function countsOf({ state }: OpenedStore<Message>): string {
  let subscriptions = 0;
  let entries = 0;
  for (const session of state.sessions.values()) {
    subscriptions += session.subscriptions.size;
    entries += session.entries.size;
  }
  const parts = [
    count(state.sessions.size, 'session'),
    count(subscriptions, 'subscription'),
    count(entries, 'message for clients', 'messages for clients'),
    count(state.retained.size, 'retained message'),
  ];
  return parts.join(', ');
}

/** Says what damage took, in numbers. */
function logDamage(core: Core, folder: string, { found, state, copies }: OpenedStore<Message>): void {
  const { log } = core;
  const { damages, missingGroups, salt } = found;
  const { lost } = state;
  if (damages.length === 0 && missingGroups === 0) return;
  const bytes = damages.reduce((sum, { length }) => sum + length, 0);
  log.error?.(
    `Error: The store ${folder} is damaged: ${count(bytes, 'byte')} in ${count(damages.length, 'place')} can't be read, and ${count(missingGroups, 'group of records', 'groups of records')} ${missingGroups === 1 ? 'is' : 'are'} missing in whole or in part. What is whole is kept.`,
  );
  for (const { segment, offset, length } of damages.slice(0, MOST_DAMAGES)) {
    log.error?.(`\t${segmentName(segment, salt!)}: ${count(length, 'byte')} at offset ${offset}`);
  }
  if (damages.length > MOST_DAMAGES) log.error?.(`\tand ${count(damages.length - MOST_DAMAGES, 'more place')}`);
  const useless = [
    count(lost.sessions, 'session'),
    count(lost.subscriptions, 'subscription'),
    count(lost.entries, 'message for clients', 'messages for clients'),
  ];
  log.error?.(`\tOf what was read, without what they belong to: ${useless.join(', ')}.`);
  for (const copy of copies) log.error?.(`\tThe damaged file is kept as ${copy}.`);
}

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;
