// The hook sets of a broker: one for each combination of security options that listeners have. An embedding program's
// plugins stand in all of them, but live once: they are reloaded and closed by a set of their own.
import type { Config, ListenerConfig, SecurityConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import type { Logger } from '../log/logger.ts';
import { HookSet } from './hooks/hooks.ts';
import { HOOK_POINTS, type Plugin } from './hooks/points.ts';
import { HashPool } from './plugins/hash-pool.ts';
import { securityPlugins } from './plugins/security.ts';

/** Builds, finds, reloads and closes hook sets. */
export class SecurityHooks {
  private readonly log: Logger;
  private readonly pool: HashPool;
  /** The embedding program's plugins: for their life, and without it, to stand in the sets. */
  private readonly own: HookSet;
  private readonly lent: readonly Plugin[];
  private sets: Map<string, HookSet>;

  /** @param extra plugins of an embedding program, asked before the built-in ones */
  constructor(log: Logger, extra: readonly Plugin[]) {
    this.log = log;
    this.pool = new HashPool();
    this.own = this.setOf(extra);
    this.lent = extra.map(withoutLife);
    this.sets = new Map();
  }

  /**
   * Makes the hook sets of a configuration and keeps those whose options did not change. Throws ConfigError, with nothing
   * changed, if a file that is new to the configuration is bad. The result puts the sets into force, has those that were
   * kept read their files anew, and returns the sentences about files that are bad: what was read before stays in force.
   */
  prepare(config: Config): () => string[] {
    const next = new Map<string, HookSet>();
    const kept: HookSet[] = [];
    for (const listener of config.listeners) {
      const key = keyOf(listener);
      if (next.has(key)) continue;
      const present = this.sets.get(key);
      if (present !== undefined) kept.push(present);
      next.set(key, present ?? this.make(listener));
    }
    return () => {
      const errors = [this.own, ...kept].flatMap((set) => set.reload());
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
    for (const set of [this.own, ...this.sets.values()]) set.close();
    this.pool.close();
  }

  private make(listener: ListenerConfig): HookSet {
    const { passwordFile, aclFile } = listener.security;
    const options = { allowAnonymous: listener.allowAnonymous, passwordFile, aclFile };
    try {
      return this.setOf([...this.lent, ...securityPlugins(options, this.log, this.pool)]);
    } catch (error) {
      throw new ConfigError((error as Error).message.split('\n'));
    }
  }

  private setOf(plugins: readonly Plugin[]): HookSet {
    return new HookSet(plugins, (plugin, point, error) => {
      const text = error instanceof Error ? error.message : String(error);
      this.log.error?.(`Error: Plugin ${plugin} failed in ${point}: ${text}`);
    });
  }
}

/** A plugin's points alone: whoever closes or reloads this does not reach the plugin. */
function withoutLife(plugin: Plugin): Plugin {
  const points: Record<string, unknown> = {};
  for (const point of Object.keys(HOOK_POINTS) as (keyof typeof HOOK_POINTS)[]) {
    const call = plugin[point];
    if (call !== undefined) points[point] = call.bind(plugin as never);
  }
  return { name: plugin.name, cacheable: plugin.cacheable ?? true, ...points };
}

/** Listeners with the same key share a hook set. */
function keyOf(listener: ListenerConfig): string {
  const security: SecurityConfig = listener.security;
  return JSON.stringify([listener.allowAnonymous, security.passwordFile, security.aclFile]);
}
