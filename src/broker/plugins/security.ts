import type { Logger } from '../../log/logger.ts';
import type { Plugin } from '../hooks/points.ts';
import { aclFilePlugin } from './acl-file.ts';
import { anonymousPlugin } from './anonymous.ts';
import type { HashPool } from './hash-pool.ts';
import { passwordFilePlugin } from './password-file.ts';

/** The built-in security options of one scope: all listeners, or one with `per_listener_settings true`. */
interface SecurityOptions {
  readonly allowAnonymous: boolean;
  readonly passwordFile: string | null;
  readonly aclFile: string | null;
}

/**
 * The built-in plugins that these options ask for, in the order in which they are to be asked. Scopes may share a pool; a
 * password file that is given none has its own. Throws a sentence for the log, with file and line, when a file is bad.
 */
export function securityPlugins(security: SecurityOptions, log: Logger, pool?: HashPool): Plugin[] {
  const { allowAnonymous, passwordFile, aclFile } = security;
  const plugins: Plugin[] = [];
  if (passwordFile !== null) {
    plugins.push(passwordFilePlugin(passwordFile, pool === undefined ? { log } : { log, pool }));
  }
  plugins.push(anonymousPlugin(allowAnonymous, passwordFile !== null, log));
  if (aclFile !== null) plugins.push(aclFilePlugin(aclFile, { log }));
  return plugins;
}
