// The package's public entry: a broker and a client for programs.
import { type Broker, type BrokerOptions, startBroker } from './broker/broker.ts';
import { type ConfigInput, configFrom } from './config/from-program.ts';

/** Options of a broker in a program: those of mosquitto.conf in camelCase, plugins, and where the log goes. */
export interface CreateBrokerOptions extends ConfigInput, Pick<BrokerOptions, 'plugins' | 'verbosity'> {}

/**
 * Starts a broker in this process and resolves when its listeners are open. Without `listeners` it serves this machine on
 * port 1883; port 0 picks a free one, which `broker.ports` tells. Logs nothing unless `verbosity` or `global.logType` asks.
 * @throws ConfigError for a bad option, or the system's error for a port that can't be opened
 */
export async function createBroker(options: CreateBrokerOptions = {}): Promise<Broker> {
  const { plugins = [], verbosity, ...input } = options;
  const wantsLog = verbosity ?? (input.global?.logType === undefined ? 'none' : 'configured');
  return startBroker(configFrom(input), { plugins, verbosity: wantsLog });
}

export type { Broker, OwnMessage } from './broker/broker.ts';
export type * from './broker/hooks/points.ts';
export {
  ALLOW,
  BAD_USERNAME_OR_PASSWORD,
  BANNED,
  CLIENT_IDENTIFIER_NOT_VALID,
  CONNECTION_RATE_EXCEEDED,
  DEFER,
  DENY,
  NOT_AUTHORIZED,
  QUOTA_EXCEEDED,
  READ,
  SERVER_BUSY,
  SERVER_MOVED,
  SERVER_UNAVAILABLE,
  SUBSCRIBE_ACCESS,
  UNSUBSCRIBE_ACCESS,
  USE_ANOTHER_SERVER,
  WRITE,
} from './broker/hooks/points.ts';
export * from './client/index.ts';
export { ConfigError } from './config/errors.ts';
export type { ConfigInput, ListenerInput } from './config/from-program.ts';
