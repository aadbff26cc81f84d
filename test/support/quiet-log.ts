// Events of a log that nobody listens to.
import type { LogEvents } from '../../src/broker/store/log.ts';

export const QUIET: LogEvents = {
  failing: () => undefined,
  working: () => undefined,
  congested: () => undefined,
  trouble: () => undefined,
  move: () => undefined,
};
