// The project's broker inside the test's process, where a test can give it plugins and see its TLS keys.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type Broker, type BrokerOptions, startBroker } from '../../src/broker/broker.ts';
import { loadConfig } from '../../src/config/load.ts';
import { scratch } from '../support/mosquitto.ts';

/** Starts a broker with these lines, each listener on a port that the system chooses; stopped when the test ends. */
export async function startOwnBroker(
  context: TestContext,
  lines: readonly string[],
  options: BrokerOptions = {},
): Promise<Broker> {
  const file = path.join(scratch(context), 'mosquitto.conf');
  writeFileSync(file, `${['log_type none', 'set_tcp_nodelay true', ...lines].join('\n')}\n`);
  const { config } = loadConfig(file, {});
  const listeners = config.listeners.map((listener) => ({ ...listener, port: 0 }));
  const broker = await startBroker({ ...config, listeners }, { verbosity: 'none', ...options });
  context.after(() => broker.stop());
  return broker;
}
