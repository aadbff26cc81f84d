// Clients and loggers as hooks and plugins see them.

import type { AuthRequest, ClientContext, Plugin } from '../../src/broker/hooks/points.ts';
import { LOG_TYPES, type Logger, silentLogger } from '../../src/log/logger.ts';

/** A client of 127.0.0.1, or of another address. */
export function hookClient(clientId: string, username: string | null = null, address = '127.0.0.1'): ClientContext {
  return { clientId, username, peer: { address, port: 50_000, localPort: 1883, kind: 'tcp', tls: null } };
}

/** A client that wants in. */
export function authRequest(
  username: string | null,
  password: string | Buffer | null,
  address = '127.0.0.1',
): AuthRequest {
  const bytes = typeof password === 'string' ? Buffer.from(password) : password;
  return { ...hookClient('client', username, address), password: bytes, properties: {} };
}

/** A logger with every type on, and the lines it was given as `type text`. */
export function keptLog(): { log: Logger; lines: string[] } {
  const log = silentLogger();
  const lines: string[] = [];
  for (const type of LOG_TYPES) log[type] = (text) => lines.push(`${type} ${text}`);
  return { log, lines };
}

/** Reloads a plugin of two steps: reads its files and puts what they say into force. Throws the plugin's sentence. */
export function takeReload(plugin: Plugin): void {
  const commit = plugin.reload?.();
  if (typeof commit === 'function') commit();
}
