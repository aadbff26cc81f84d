// The hook sets of a broker: one for each combination of security options that listeners have. An embedding program's
// plugins stand in all of them, but live once: they are reloaded and closed by a set of their own.
import type { Config, ListenerConfig, SecurityConfig } from '../config/config.ts';
import { ConfigError, errorAt } from '../config/errors.ts';
import type { Logger } from '../log/logger.ts';
import { HookSet } from './hooks/hooks.ts';
import { HOOK_POINTS, type Plugin } from './hooks/points.ts';
import { HashPool } from './plugins/hash-pool.ts';
import { BadSecurityFile, type SecurityFile, securityPlugins } from './plugins/security.ts';

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
   * Makes the hook sets of a configuration, and has those whose options did not change read their files anew. Throws
   * ConfigError, with nothing changed, if a file is bad. The result puts everything into force.
   */
  prepare(config: Config): () => void {
    const next = new Map<string, HookSet>();
    const commits: (() => void)[] = [];
    for (const listener of config.listeners) {
      const key = keyOf(listener);
      if (next.has(key)) continue;
      const present = this.sets.get(key);
      if (present !== undefined) commits.push(reread(present, listener));
      next.set(key, present ?? this.make(listener));
    }
    return () => {
      for (const commit of commits) commit();
      for (const [key, set] of this.sets) if (!next.has(key)) set.close();
      this.sets = next;
    };
  }

  /**
   * Has the embedding program's plugins read their files anew. Throws ConfigError if one can't. The result puts what they
   * read into force, as far as they leave that to us: so this comes last of what may fail.
   */
  prepareOwn(): () => void {
    return reread(this.own, null);
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
      throw error instanceof BadSecurityFile ? badFile(listener, error.option, error.message) : error;
    }
  }

  private setOf(plugins: readonly Plugin[]): HookSet {
    return new HookSet(plugins, (plugin, point, error) => {
      const text = error instanceof Error ? error.message : String(error);
      this.log.error?.(`Error: Plugin ${plugin} failed in ${point}: ${text}`);
    });
  }
}

/** The options that name the files of the built-in plugins. */
const OPTION_OF: Readonly<Record<string, SecurityFile>> = { 'password-file': 'passwordFile', 'acl-file': 'aclFile' };

/** Reads the files of a set; throws ConfigError with the sentences of all that are bad. `listener` is one that it serves. */
function reread(set: HookSet, listener: ListenerConfig | null): () => void {
  const { failures, commit } = set.prepareReload();
  if (failures.length === 0) return commit;
  const lines = failures.flatMap(({ plugin, sentence }) => {
    const option = OPTION_OF[plugin];
    if (listener === null || option === undefined) return sentence.split('\n');
    return badFile(listener, option, sentence).lines;
  });
  throw new ConfigError(lines);
}

/** A bad file, with the place of the option that names it. */
export function badFile(listener: ListenerConfig, option: SecurityFile, sentence: string): ConfigError {
  return errorAt(listener.security.places.get(option) ?? null, sentence);
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
