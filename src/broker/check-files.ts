// mqtt-broker --test-config: reads the files that a configuration names as a start would, and changes nothing.
import type { Config, ListenerConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { tlsOptionsOf } from './listener-tls.ts';
import { readAclFile } from './plugins/acl-file.ts';
import { readPasswordFile } from './plugins/password-file.ts';
import type { SecurityFile } from './plugins/security.ts';
import { badFile } from './security.ts';
import { locationFault } from './store-place.ts';

/** Reads one of the files that the built-in plugins use; throws a sentence. */
type ReadFile = (path: string, warn: (text: string) => void) => unknown;

const SECURITY_FILES: readonly (readonly [SecurityFile, ReadFile])[] = [
  ['passwordFile', readPasswordFile],
  ['aclFile', readAclFile],
];

/**
 * Reads and judges password files, ACL files, certificates, keys and revocation lists. Of the store it looks only whether
 * the folder around it is there, which it may not be on the machine that checks the file. Returns warnings; throws a
 * ConfigError with the sentences of all files that are bad, each with the place of the option that names it.
 */
export function checkFiles(config: Config): string[] {
  const warnings = new Set<string>();
  const errors = new Set<string>();
  for (const listener of config.listeners) {
    const checks = [...securityChecks(listener, warnings), tlsCheck(listener, warnings)];
    for (const check of checks) {
      try {
        check();
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        // Listeners that share a file have the same to say about it.
        errors.add(error.lines.join('\n'));
      }
    }
  }
  if (errors.size > 0) throw new ConfigError([...errors].flatMap((text) => text.split('\n')));
  const fault = config.global.persistence ? locationFault(config) : null;
  if (fault !== null) warnings.add(fault.join(' ').replace(/^Error: /, 'Warning: '));
  return [...warnings];
}

function securityChecks(listener: ListenerConfig, warnings: Set<string>): (() => void)[] {
  return SECURITY_FILES.map(([option, read]) => () => {
    const path = listener.security[option];
    if (path === null) return;
    try {
      read(path, (text) => warnings.add(text));
    } catch (error) {
      throw badFile(listener, option, (error as Error).message);
    }
  });
}

function tlsCheck(listener: ListenerConfig, warnings: Set<string>): () => void {
  return () => void tlsOptionsOf(listener, null, 0, (text) => warnings.add(text));
}
