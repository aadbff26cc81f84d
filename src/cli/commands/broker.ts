// mqtt-broker: reads the configuration, starts the broker, and passes signals on to it.
import { appendFileSync, closeSync } from 'node:fs';
import process from 'node:process';
import { type Broker, type BrokerOptions, startBroker } from '../../broker/broker.ts';
import { checkFiles } from '../../broker/check-files.ts';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../config/errors.ts';
import { defaultConfig, type LoadedConfig, loadConfig } from '../../config/load.ts';
import { openNow, TO_APPEND } from '../../util/open-now.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { isBackground, reportToForeground, startInBackground } from '../background.ts';
import type { Io } from '../io.ts';
import { EXIT_CONFIG, EXIT_ERROR, EXIT_OK, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { writePidFile } from '../pid-file.ts';
import { become, identityOf } from '../privileges.ts';
import { readCommandLine, reportUsageError } from '../start.ts';
import { paintFor } from '../terminal.ts';
import { storeTool } from './store-tools.ts';

/** As many -p as Mosquitto takes. */
const MOST_PORTS = 10;

/** Runs the command; resolves to its exit code when the broker has stopped. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const parsed = await readCommandLine('broker', argv, io);
  if (typeof parsed === 'number') return parsed;
  const { options } = parsed;
  try {
    if (options.ports.length > MOST_PORTS) {
      throw new UsageError(`Only ${MOST_PORTS} ports can be given with -p.`, 'nothing');
    }
    if (options.testConfig) return testConfig(options, io);
    const loaded = load(options, io);
    const lookInside = storeTool(options);
    if (lookInside !== null) return await lookInside(loaded.config, io);
    if (options.daemon && !isBackground()) return await startInBackground(argv, io);
    return await run(loaded, options, io);
  } catch (error) {
    return reportFailure(error, io);
  }
}

/** Reads the configuration and the files that it names. Nothing is written or opened: no store, log, pid file or socket. */
function testConfig(options: Options<'broker'>, io: Io): number {
  if (options.configFile === null) {
    io.stderr.write('Please provide a configuration file to test.\n');
    return EXIT_CONFIG;
  }
  const { config, warnings } = load(options, io);
  for (const text of [...warnings.map((note) => note.text), ...checkFiles(config)]) io.stderr.write(`${text}\n`);
  io.stderr.write('Configuration file is OK.\n');
  return EXIT_OK;
}

function load(options: Options<'broker'>, io: Io): LoadedConfig {
  if (options.configFile === null) return { config: defaultConfig(options.ports), warnings: [] };
  return loadConfig(options.configFile, io.env, options.ports);
}

async function run({ config, warnings }: LoadedConfig, options: Options<'broker'>, io: Io): Promise<number> {
  const { pidFile, user } = config.global;
  const identity = identityOf(user);
  const brokerOptions: BrokerOptions = {
    verbosity: options.quiet ? 'none' : options.verbose ? 'all' : 'configured',
    notes: warnings,
    env: io.env,
    ports: options.ports,
    ...keylog(options.tlsKeylog),
    // The files of the store are to belong to the user that the broker runs as.
    ...(identity === null ? {} : { whenBound: () => become(identity) }),
  };
  // Before anything else is touched: a second broker of the same pid file must leave no trace.
  const pid = pidFile === null ? null : writePidFile(pidFile);
  const signals = takeSignals();
  const broker = await startListening(config, brokerOptions).catch((error: unknown) => {
    pid?.restore();
    throw error;
  });
  reportToForeground('');
  signals.passTo(broker);
  await signals.stop;
  signals.passTo(null);
  await broker.stop();
  pid?.remove();
  return EXIT_OK;
}

/** Starts the broker; a socket that can't be opened becomes an error that names its port or its host. */
async function startListening(config: Config, options: BrokerOptions): Promise<Broker> {
  try {
    return await startBroker(config, options);
  } catch (error) {
    const { port, hostname, address, code } = error as {
      port?: unknown;
      hostname?: unknown;
      address?: unknown;
      code?: unknown;
    };
    // A Unix socket has port -1; what the system says names its path.
    const place =
      typeof hostname === 'string'
        ? `The listener on ${hostname}`
        : typeof port === 'number' && port >= 0
          ? `Port ${port}`
          : null;
    if (place === null) throw error;
    const why = code === 'EADDRNOTAVAIL' ? `: this machine has no address ${String(address)}` : '';
    const sentence = `${systemErrorText(error)}\n${place} can't be opened${why}.`;
    throw new UsageError(sentence, 'nothing', EXIT_ERROR);
  }
}

/** Opens the file of --tls-keylog, so that a wrong name shows at once, and appends to it later. */
function keylog(file: string | null): Pick<BrokerOptions, 'keylog'> {
  if (file === null) return {};
  try {
    closeSync(openNow(file, TO_APPEND, 0o600));
  } catch (error) {
    throw new UsageError(`Unable to open TLS key log file ${file}. ${systemErrorText(error)}.`, 'nothing', EXIT_ERROR);
  }
  return { keylog: (line) => appendFileSync(file, line) };
}

/** Signals are taken from here on, also while the broker starts. */
interface Signals {
  /** SIGTERM or SIGINT came. Further ones are taken, and do nothing: the orderly stop is under way, and short. */
  readonly stop: Promise<void>;
  /** Names the broker that SIGHUP and SIGUSR1 are for; they do nothing without one. */
  passTo(broker: Broker | null): void;
}

function takeSignals(): Signals {
  let broker: Broker | null = null;
  const ignore = () => {};
  // A reload logs its own failures; a rejection would be a bug, and ends the process.
  process.on('SIGHUP', () => void broker?.reload());
  // Without a listener Node would open its debugger on the one and end on the other; Mosquitto's users send both.
  process.on('SIGUSR1', () => broker?.compact()).on('SIGUSR2', ignore);
  return {
    stop: new Promise((resolve) => {
      process.on('SIGTERM', resolve).on('SIGINT', resolve);
    }).then(ignore),
    passTo: (one) => {
      broker = one;
    },
  };
}

/** Prints why the broker could not start and returns the exit code; a bug is thrown again. */
async function reportFailure(error: unknown, io: Io): Promise<number> {
  const paint = await paintFor(io.stderr, io.env);
  if (error instanceof ConfigError) {
    reportToForeground(error.message);
    for (const line of error.lines) io.stderr.write(`${paint.error(line)}\n`);
    return error.exitCode;
  }
  if (error instanceof UsageError) {
    reportToForeground(`Error: ${error.message}`);
    return reportUsageError('broker', error, io);
  }
  // What the system says has a code; anything else is a bug, and loud.
  const { code, path: file, address } = error as NodeJS.ErrnoException & { address?: string };
  if (typeof code !== 'string') throw error;
  // A Unix socket's path comes as its address.
  const path = file ?? address;
  const cause = systemErrorText(error);
  const text = path === undefined ? `Error: ${cause}` : `Error: Unable to open ${path}. ${cause}.`;
  reportToForeground(text);
  io.stderr.write(`${paint.error(text)}\n`);
  return EXIT_ERROR;
}
