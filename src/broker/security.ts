// The hook sets of a broker: one for each combination of security options that listeners have.
import type { Config, ListenerConfig, SecurityConfig } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { HookSet } from './hooks/hooks.ts';
import type { Plugin } from './hooks/points.ts';
import { HashPool } from './plugins/hash-pool.ts';
import { securityPlugins } from './plugins/security.ts';

/** Builds, finds, reloads and closes hook sets. */
export class SecurityHooks {
  private readonly log: Logger;
  private readonly pool: HashPool;
  private readonly extra: readonly Plugin[];
  private sets: Map<string, HookSet>;

  /** @param extra plugins of an embedding program, asked before the built-in ones */
  constructor(log: Logger, extra: readonly Plugin[]) {
    this.log = log;
    this.pool = new HashPool();
    this.extra = extra;
    this.sets = new Map();
  }

  /**
   * Makes the hook sets of a configuration, keeping those whose options did not change; these read their files anew if
   * `rereads`. Nothing changes if a new file is bad: throws a sentence with file and line.
   */
  prepare(config: Config): () => string[] {
    const next = new Map<string, HookSet>();
    const kept: HookSet[] = [];
    for (const listener of config.listeners) {
      const key = keyOf(listener);
      if (next.has(key)) continue;
      const present = this.sets.get(key);
      if (present === undefined) next.set(key, this.make(listener));
      else {
        kept.push(present);
        next.set(key, present);
      }
    }
    return () => {
      const errors = kept.flatMap((set) => set.reload());
      for (const [key, set] of this.sets) if (!next.has(key)) set.close();
      this.sets = next;
      return errors;
    };
  }

  /** The hook set of a listener of the configuration that was prepared last. */
  of(listener: ListenerConfig): HookSet {
    return this.sets.get(keyOf(listener))!;
  }

  close(): void {
    for (const set of this.sets.values()) set.close();
    this.pool.close();
  }

  private make(listener: ListenerConfig): HookSet {
    const { passwordFile, aclFile } = listener.security;
    const plugins = securityPlugins(
      { allowAnonymous: listener.allowAnonymous, passwordFile, aclFile },
      this.log,
      this.pool,
    );
    return new HookSet([...this.extra, ...plugins], (plugin, point, error) => {
      const text = error instanceof Error ? error.message : String(error);
      this.log.error?.(`Error: Plugin ${plugin} failed in ${point}: ${text}`);
    });
  }
}

/** Listeners with the same key share a hook set. */
function keyOf(listener: ListenerConfig): string {
  const security: SecurityConfig = listener.security;
  return JSON.stringify([listener.allowAnonymous, security.passwordFile, security.aclFile]);
}
