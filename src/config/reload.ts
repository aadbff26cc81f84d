// Two configurations → what changed, by the table's reload column.
import { listenerKey, usesTls } from './check.ts';
import type { Config, ListenerConfig, Places, SecurityConfig } from './config.ts';
import { GLOBAL_OPTIONS, LISTENER_OPTIONS, SECURITY_OPTIONS, sameValue } from './draft.ts';
import { type Place, placeText } from './errors.ts';
import type { ConfigOption } from './options.ts';

/** An option with another value than before. */
export interface ConfigChange {
  readonly option: ConfigOption;
  /** Whether the change can be applied now or only by the next start. */
  readonly reload: 'live' | 'restart';
  /** Where the new value stands; null if the line is gone. */
  readonly place: Place | null;
}

/** A listener that is in both configurations. Those with the same address, in the same order, are the same. */
interface ListenerChange {
  readonly before: ListenerConfig;
  readonly after: ListenerConfig;
  /** Its own options and the security options that count for it. Empty if nothing changed; certificates may have new contents all the same. */
  readonly changes: readonly ConfigChange[];
  /** True if the socket must be opened anew (its connections stay): another protocol, TLS on or off, and the like. */
  readonly reopen: boolean;
}

/** Everything that changed. */
export interface ConfigDiff {
  /** Global options and global security options. */
  readonly changes: readonly ConfigChange[];
  readonly added: readonly ListenerConfig[];
  readonly removed: readonly ListenerConfig[];
  readonly kept: readonly ListenerChange[];
}

/** Compares the configuration in use with the one read anew. */
export function diffConfigs(before: Config, after: Config): ConfigDiff {
  const waiting = new Map<string, ListenerConfig[]>();
  for (const listener of before.listeners) {
    const key = listenerKey(listener);
    waiting.set(key, [...(waiting.get(key) ?? []), listener]);
  }
  const added: ListenerConfig[] = [];
  const kept: ListenerChange[] = [];
  for (const listener of after.listeners) {
    const same = waiting.get(listenerKey(listener))?.shift();
    if (same === undefined) added.push(listener);
    else kept.push(changedListener(same, listener));
  }
  return {
    changes: [
      ...changedValues(GLOBAL_OPTIONS, before.global, after.global, after.places),
      ...changedSecurity(before.security, after.security),
    ],
    added,
    removed: [...waiting.values()].flat(),
    kept,
  };
}

/** The sentence for the log about a change that waits for the next start; null for one that is applied. */
export function restartNotice({ option, reload, place }: ConfigChange): string | null {
  if (reload === 'live') return null;
  const where = place === null ? '' : ` at ${placeText(place)}`;
  return `Warning: The change of ${option.name}${where} takes effect when the broker is started again.`;
}

function changedValues(
  options: ReadonlyMap<string, ConfigOption>,
  before: object,
  after: object,
  places: Places,
): ConfigChange[] {
  const old = new Map<string, unknown>(Object.entries(before));
  const now = new Map<string, unknown>(Object.entries(after));
  const changes: ConfigChange[] = [];
  for (const [key, option] of options) {
    if (sameValue(option, old.get(key), now.get(key))) continue;
    changes.push({ option, reload: option.reload, place: places.get(key) ?? null });
  }
  return changes;
}

function changedSecurity(before: SecurityConfig, after: SecurityConfig): ConfigChange[] {
  return changedValues(SECURITY_OPTIONS, before, after, after.places);
}

function changedListener(before: ListenerConfig, after: ListenerConfig): ListenerChange {
  const own = changedValues(LISTENER_OPTIONS, before, after, after.places);
  return {
    before,
    after,
    changes: [...own, ...changedSecurity(before.security, after.security)],
    reopen: own.some(({ option }) => option.reopens) || usesTls(before) !== usesTls(after),
  };
}
