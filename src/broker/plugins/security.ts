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

/** The options that name a file. */
export type SecurityFile = 'passwordFile' | 'aclFile';

/** A file can't be used. The message is a sentence for the log, with file and line. */
export class BadSecurityFile extends Error {
  readonly option: SecurityFile;

  constructor(option: SecurityFile, sentence: string) {
    super(sentence);
    this.name = 'BadSecurityFile';
    this.option = option;
  }
}

/** Reads a file through `read`, whose errors then tell which option is to blame. */
export function fileOf<T>(option: SecurityFile, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new BadSecurityFile(option, (error as Error).message);
  }
}

/**
 * The built-in plugins that these options ask for, in the order in which they are to be asked. Scopes may share a pool; a
 * password file that is given none has its own. Throws BadSecurityFile.
 */
export function securityPlugins(security: SecurityOptions, log: Logger, pool?: HashPool): Plugin[] {
  const { allowAnonymous, passwordFile, aclFile } = security;
  const plugins: Plugin[] = [];
  if (passwordFile !== null) {
    const options = pool === undefined ? { log } : { log, pool };
    plugins.push(fileOf('passwordFile', () => passwordFilePlugin(passwordFile, options)));
  }
  plugins.push(anonymousPlugin(allowAnonymous, passwordFile !== null, log));
  if (aclFile !== null) plugins.push(fileOf('aclFile', () => aclFilePlugin(aclFile, { log })));
  return plugins;
}
