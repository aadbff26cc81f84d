// Opening a store: the log of its folder is read into the state that it amounts to, and goes on from there.

import type { LogEvents } from './log.ts';
import { type OpenOptions, openLog } from './open-log.ts';
import type { RecordVisitor, Recovered } from './recover.ts';
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
  const opened: Opened = { store: null };
  const { log, lock, found, copies } = openLog(options, visitorOf(state), logEvents(events, opened));
  state.finish();
  const store = new Store(log, lock, state, events);
  opened.store = store;
  return { store, state, found, copies };
}

interface Opened {
  store: Store | null;
}

/** Apart from the events, which last: else they would keep the whole state that was read. */
function visitorOf<M extends object>(state: StoreState<M>): RecordVisitor {
  return (type, bytes, start, end, segment) => state.take(type, bytes, start, end, segment);
}

function logEvents(events: StoreEvents, opened: Opened): LogEvents {
  return {
    failing: (error, code) => events.failing(error, code),
    working: () => events.working(),
    congested: (isCongested) => events.congested(isCongested),
    trouble: (what, error) => events.trouble(what, error),
    move: (type, bytes, at, segment) => {
      try {
        opened.store?.move(type, bytes, at, segment);
      } catch (error) {
        // What could not be read at the start can't be now: a record of another program's.
        if (!(error instanceof RangeError)) throw error;
        events.trouble('moving a record', error.message);
      }
    },
  };
}
