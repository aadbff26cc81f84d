// What the options of a client must be together, as far as no row of the tables can say it (conflicts, needs).
import { NEVER_EXPIRES } from '../protocol/constants.ts';
import { UsageError } from './messages.ts';
import type { Options } from './options/tables.ts';
import { gatherProperties, type PropertyArgument } from './property-option.ts';
import { bytesOf } from './raw-arguments.ts';

/** A client tool with its options. */
type ClientOptionsOf = { pub: Options<'pub'>; sub: Options<'sub'>; rr: Options<'rr'> };

/** Most bytes of a will's payload: it is a field with a length of two bytes (MQTT 5.0 section 3.1.3.4). */
const LARGEST_WILL = 65_535;

/** Checks the options of a client against each other; throws UsageError with Mosquitto's sentence. */
export function checkClientOptions<T extends keyof ClientOptionsOf>(tool: T, options: ClientOptionsOf[T]): void {
  const willSize = bytesOf(options.willPayload ?? '').length;
  if (willSize > LARGEST_WILL) {
    throw new UsageError(`The will payload has ${willSize} bytes, and MQTT takes ${LARGEST_WILL} at most.`);
  }
  checkSession(tool, options);
  checkDuplicates(options.properties);
  checkGoodbye(options);
  if (options.maxReconnects !== null && !options.reconnect && reconnectsOnlyWhenAsked(tool, options)) {
    throw new UsageError("'--max-reconnects' needs '--reconnect' here: a single message is not tried again by itself.");
  }
  if (tool === 'pub') checkPublisher(options as Options<'pub'>);
  if (tool === 'sub') checkSubscriber(options as Options<'sub'>);
  if (tool === 'rr') checkRequester(options as Options<'rr'>);
}

/** A session that outlives the connection is found again by an id that the next connection has as well. */
function checkSession(tool: keyof ClientOptionsOf, options: ClientOptionsOf[keyof ClientOptionsOf]): void {
  if (options.id === '') throw new UsageError('Invalid id and/or clean_session.', 'nothing');
  if (!options.persistent || options.id !== null) return;
  // With -V 5 alone -c means a session without end; where -x or -D choose MQTT 5, Mosquitto names the -c.
  const isFive = options.protocolVersion === '5' || (tool === 'rr' && options.protocolVersion === null);
  const forEver = (options.sessionExpiry ?? NEVER_EXPIRES) === NEVER_EXPIRES;
  const cause = isFive && forEver ? 'an infinite session expiry interval' : 'the -c option';
  throw new UsageError(`You must provide a client id if you are using ${cause}.`);
}

/** A packet has each property once, user properties aside (MQTT 5.0 section 2.2.2.2). */
function checkDuplicates(properties: readonly PropertyArgument[]): void {
  const seen = new Set<string>();
  for (const { command, row } of properties) {
    const one = `${command} ${row.option}`;
    if (row.type !== 'pair' && seen.has(one)) {
      throw new UsageError(`Property ${row.option} given more than once for ${command} in --property argument.`);
    }
    seen.add(one);
  }
}

/** A session that ends with the connection cannot be prolonged when it ends (MQTT 5.0 section 3.14.2.2.2). */
function checkGoodbye({ properties, sessionExpiry, persistent }: ClientOptionsOf['pub' | 'sub' | 'rr']): void {
  const asked = gatherProperties(properties, 'connect').sessionExpiryInterval ?? sessionExpiry;
  if (asked === null ? persistent : asked > 0) return;
  if ((gatherProperties(properties, 'disconnect').sessionExpiryInterval ?? 0) === 0) return;
  throw new UsageError('DISCONNECT cannot set a session expiry interval where CONNECT set none: add -x.');
}

function reconnectsOnlyWhenAsked(tool: keyof ClientOptionsOf, options: ClientOptionsOf[typeof tool]): boolean {
  return tool === 'rr' || (tool === 'pub' && !readsLines(options as Options<'pub'>));
}

function readsLines(options: Options<'pub'>): boolean {
  return options.stdinLines || options.jsonInput || options.replay !== null;
}

function checkPublisher(options: Options<'pub'>): void {
  if (options.jsonInput || options.replay !== null) return;
  const source = options.stdinLines || hasPayload(options);
  if (options.topic === null || !source) {
    throw new UsageError('Both topic and message must be supplied.', 'usage');
  }
}

function checkSubscriber(options: Options<'sub'>): void {
  if (options.topics.length === 0 && options.unsubscribe.length === 0) {
    throw new UsageError('You must specify a topic to subscribe to (-t) or unsubscribe from (-U).');
  }
  if (options.record === '-') {
    throw new UsageError("'--record' writes to a file; '--json-lines' prints the same lines on standard output.");
  }
}

function checkRequester(options: Options<'rr'>): void {
  if (options.topic === null || options.responseTopic === null || !hasPayload(options)) {
    throw new UsageError('All of topic, message, and response topic must be supplied.');
  }
}

function hasPayload(options: Options<'pub'> | Options<'rr'>): boolean {
  return options.message !== null || options.file !== null || options.stdinWhole || options.nullMessage;
}
