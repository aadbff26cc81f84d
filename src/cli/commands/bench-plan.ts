// Options of mqtt-bench → the plan of a run: templates checked, defaults of the command filled in, files read.
import { readFileSync } from 'node:fs';
import { isStamped, type PayloadSource, payloadSize } from '../../load/payload.ts';
import { type LoadPlan, plannedClient, type Role } from '../../load/plan.ts';
import { hasPlace, type Place, unknownPlace } from '../../load/template.ts';
import { MQTT5, MQTT31, MQTT311 } from '../../protocol/version.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { connectionOptions } from '../connection.ts';
import type { Io } from '../io.ts';
import { isEncrypted } from '../key-passphrase.ts';
import { checkTopicFilter, checkTopicName } from '../kinds.ts';
import { UsageError } from '../messages.ts';
import { type BenchCommand, COMMANDS_OF } from '../options/bench.ts';
import { type Options, optionsOf } from '../options/tables.ts';

const PROFILES = { '3.1': MQTT31, '3.1.1': MQTT311, '5': MQTT5 };

const DEFAULT_CONNECTIONS = 100;
const DEFAULT_PAIR = 10;
const DEFAULT_SIZE = 64;

/** Letters of a run's number in the default client ids. */
export function runLetters(run: number): string {
  return (run & 0xffff).toString(16).padStart(4, '0');
}

/** Throws UsageError for an option that the command has no use for. */
export function checkBelongs(command: BenchCommand, given: readonly string[]): void {
  for (const key of given) {
    const commands = COMMANDS_OF[key];
    if (commands === undefined || commands.includes(command)) continue;
    const name = optionsOf('bench')
      .find((row) => row.key === key)
      ?.names.at(-1);
    throw new UsageError(`The option '${name}' belongs to ${commands.join(', ')} and not to ${command}.`);
  }
}

/** The plan that options ask for; `run` is the number of the run. Reads the files that they name. Throws UsageError. */
export function benchPlan(command: BenchCommand, options: Options<'bench'>, run: number, env: Io['env']): LoadPlan {
  const connection = connectionOptions('pub', { ...NOT_HERE, ...options, id: null }, env);
  const { tls } = connection.endpoint;
  if (typeof tls?.key === 'string' && tls.passphrase === undefined && isEncrypted(tls.key)) {
    throw new UsageError(`The private key "${options.key}" is encrypted: give its passphrase with --key-pass-file.`);
  }
  const counts = countsOf(command, options);
  const topic = topicOf(command, options, counts);
  const payload = payloadSource(options);
  const isPaced = [options.rate, options.rateAll, options.byteRate, options.byteRateAll].some((rate) => rate !== null);
  const plan: LoadPlan = {
    endpoint: connection.endpoint,
    profile: PROFILES[connection.version ?? '3.1.1'],
    cleanStart: !options.persistent,
    keepAlive: options.keepAlive,
    properties: sessionProperties(options),
    clientId: clientIds(command, options, run, counts),
    username: checkPlaces('user name', options.username, ['i']),
    password: options.password,
    counts,
    firstNumber: options.firstNumber,
    connectTimeoutMs: options.connectTimeout * 1000,
    connectRate: options.connectRate,
    qos: options.qos,
    retain: options.retain,
    payload,
    topic,
    topics: command === 'load' ? topicCount(options, topic ?? '') : null,
    rate: null,
    window: options.window === 0 ? null : options.window,
    windowIsDelivery: command === 'load' && !isPaced && isStamped(payload),
    total: command === 'sub' ? null : options.total,
  };
  checkTopic(plan);
  return { ...plan, rate: counts.pub === 0 ? null : messageRate(options, plan) };
}

/** What connectionOptions() reads of the other clients' options. */
const NOT_HERE = {
  url: null,
  proxy: null,
  srv: false,
  idPrefix: null,
  noDelay: false,
  maxInflight: 20,
  properties: [],
  willTopic: null,
  willPayload: null,
  willQos: 0,
  willRetain: false,
} as const;

function sessionProperties(options: Options<'bench'>): LoadPlan['properties'] {
  const expiry = options.sessionExpiry ?? (options.persistent ? 0xffff_ffff : null);
  return expiry === null ? {} : { sessionExpiryInterval: expiry };
}

function countsOf(command: BenchCommand, options: Options<'bench'>): Record<Role, number> {
  const connections = options.connections ?? DEFAULT_CONNECTIONS;
  if (command === 'load') {
    return { conn: 0, pub: options.publishers ?? DEFAULT_PAIR, sub: options.subscribers ?? DEFAULT_PAIR };
  }
  return {
    conn: command === 'conn' ? connections : 0,
    pub: command === 'pub' ? connections : 0,
    sub: command === 'sub' ? connections : 0,
  };
}

function checkPlaces<T extends string | null>(what: string, template: T, known: readonly Place[]): T {
  const unknown = template === null ? null : unknownPlace(template, known);
  if (unknown === null) return template;
  const places = [...known.map((place) => `%${place}`), '%%'].join(', ');
  throw new UsageError(`Invalid ${what}: '${unknown}' is none of the places ${places}.`);
}

function clientIds(
  command: BenchCommand,
  options: Options<'bench'>,
  run: number,
  counts: Readonly<Record<Role, number>>,
): LoadPlan['clientId'] {
  if (options.persistent && options.id === null) {
    throw new UsageError('You must provide a client id if you are using the -c option.');
  }
  const id = checkPlaces('client id', options.id ?? `bench-${runLetters(run)}`, ['i', 'u']);
  if (command === 'load') return { conn: id, pub: `${id}-pub-%i`, sub: `${id}-sub-%i` };
  const clients = Math.max(counts.conn, counts.pub, counts.sub);
  const isNumbered = hasPlace(id, 'i') || (hasPlace(id, 'u') && hasPlace(options.username ?? '', 'i'));
  const isTold = options.id !== null && (clients === 1 || isNumbered);
  const own = isTold ? id : `${id}-%i`;
  return { conn: own, pub: own, sub: own };
}

function topicOf(
  command: BenchCommand,
  options: Options<'bench'>,
  counts: Readonly<Record<Role, number>>,
): string | null {
  if (command === 'conn') return null;
  if (command === 'load') {
    const topic = checkPlaces('topic', options.topic ?? 'bench/%i', ['i']);
    const topics = options.topics ?? 1;
    if (topics > 1 && !hasPlace(topic, 'i')) {
      throw new UsageError(`${topics} topics need a topic with %i in it (-t).`);
    }
    return topic;
  }
  return checkPlaces('topic', options.topic ?? (counts.pub > 0 ? 'bench/%i' : 'bench/#'), ['i', 'c', 'u']);
}

function topicCount(options: Options<'bench'>, topic: string): number {
  return options.topics ?? (hasPlace(topic, 'i') ? (options.publishers ?? DEFAULT_PAIR) : 1);
}

/** What the templates give for the first clients must be topics. */
function checkTopic(plan: LoadPlan): void {
  if (plan.counts.pub > 0) checkTopicName(plannedClient(plan, 'pub', 0).topic ?? '', 'publish topic');
  if (plan.counts.sub > 0) checkTopicFilter(plannedClient(plan, 'sub', 0).filters[0] ?? '', 'subscription topic');
}

function payloadSource(options: Options<'bench'>): PayloadSource {
  if (options.message !== null) {
    return { kind: 'template', template: checkPlaces('message', options.message, ['i', 'c', 'u', 's']) };
  }
  if (options.file === null) {
    return { kind: 'size', size: options.size ?? DEFAULT_SIZE, stamped: !options.noStamp };
  }
  try {
    return { kind: 'bytes', bytes: readFileSync(options.file) };
  } catch (error) {
    throw new UsageError(`The file "${options.file}" can't be read: ${systemErrorText(error)}.`, 'nothing');
  }
}

/** Messages a second of all publishers, null for no schedule. */
function messageRate(options: Options<'bench'>, plan: LoadPlan): number | null {
  if (options.rateAll !== null) return options.rateAll;
  if (options.rate !== null) return options.rate * plan.counts.pub;
  const bytes = options.byteRateAll ?? (options.byteRate === null ? null : options.byteRate * plan.counts.pub);
  if (bytes === null) return null;
  const size = payloadSize(plan.payload, plannedClient(plan, 'pub', 0).names);
  if (size === 0) throw new UsageError('A rate in bytes needs payloads that are not empty.');
  return bytes / size;
}
