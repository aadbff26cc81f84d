// Opening a store: the log of its folder is read into the state that it amounts to, and goes on from there.
import { type OpenOptions, openLog } from './open-log.ts';
import type { Recovered } from './recover.ts';
import { type MessageMaker, StoreState } from './state.ts';
import { Store, type StoreEvents } from './store.ts';

/** A store that was opened, and what was in it. */
export interface OpenedStore<M extends object> {
  readonly store: Store;
  readonly state: StoreState<M>;
  readonly found: Recovered;
  /** Copies of damaged files. */
  readonly copies: readonly string[];
}

/**
 * Opens the store of a folder, which is made if need be. Throws as openLog() does.
 * @param make makes of each message that is read what is wanted of it; most may be of no use any more
 */
export function openStore<M extends object>(
  options: OpenOptions,
  events: StoreEvents,
  make: MessageMaker<M>,
): OpenedStore<M> {
  const state = new StoreState<M>(make);
  let store: Store | null = null;
  const { log, lock, found, copies } = openLog(
    options,
    (type, bytes, start, end, segment) => state.take(type, bytes, start, end, segment),
    {
      failing: (error, code) => events.failing(error, code),
      working: () => events.working(),
      congested: (isCongested) => events.congested(isCongested),
      trouble: (what, error) => events.trouble(what, error),
      move: (type, bytes, at, segment) => store?.move(type, bytes, at, segment),
    },
  );
  state.finish();
  store = new Store(log, lock, state, events);
  return { store, state, found, copies };
}
