// A client's options, checked and with every default filled in.
import { randomInt } from 'node:crypto';
import { NEVER_EXPIRES } from '../protocol/constants.ts';
import { encode } from '../protocol/encode.ts';
import type { ConnectPacket, Will } from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import { PROTOCOL_ERROR, TOPIC_NAME_INVALID } from '../protocol/reasons.ts';
import { topicNameFault } from '../protocol/topic.ts';
import { MQTT5, MQTT31, MQTT311, type Profile } from '../protocol/version.ts';
import { InvalidRequest } from './errors.ts';
import type { ClientOptions, ClientTrace, Endpoint, ReconnectOptions } from './options.ts';

const DEFAULT_KEEP_ALIVE = 60;
const DEFAULT_MAX_INFLIGHT = 20;
const DEFAULT_TIMEOUT_MS = 30_000;
const LARGEST_U16 = 65_535;

const PROFILES: Readonly<Record<NonNullable<ClientOptions['version']>, Profile>> = {
  '3.1': MQTT31,
  '3.1.1': MQTT311,
  '5': MQTT5,
};

const ID_LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 18;

/** What a client works by. */
export interface Settings {
  readonly endpoint: Endpoint & { readonly noDelay: boolean };
  readonly profile: Profile;
  readonly clientId: string;
  readonly cleanStart: boolean;
  readonly keepAlive: number;
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly will: Will | null;
  readonly properties: Properties;
  readonly reconnect: ReconnectOptions | null;
  readonly maxInflight: number;
  readonly connectTimeoutMs: number;
  readonly trace: ClientTrace | null;
}

function generatedClientId(): string {
  let id = 'mosq-';
  for (let i = 0; i < ID_LENGTH; i++) id += ID_LETTERS[randomInt(ID_LETTERS.length)];
  return id;
}

function inRange(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= LARGEST_U16) return value;
  throw new InvalidRequest(
    PROTOCOL_ERROR,
    `${name} must be a whole number from ${least} to ${LARGEST_U16}, not ${value}`,
  );
}

/** @throws InvalidRequest for options that make no CONNECT */
export function settingsOf(options: ClientOptions): Settings {
  const { password, will } = options;
  const settings: Settings = {
    endpoint: { noDelay: options.noDelay ?? true, ...options.endpoint },
    profile: PROFILES[options.version ?? '5'],
    clientId: options.clientId ?? generatedClientId(),
    cleanStart: options.cleanStart ?? true,
    keepAlive: inRange('keepAlive', options.keepAlive ?? DEFAULT_KEEP_ALIVE, 0),
    username: options.username ?? null,
    password: password === undefined ? null : Buffer.from(password),
    will: will ?? null,
    properties: options.properties ?? NO_PROPERTIES,
    reconnect: options.reconnect ?? null,
    maxInflight: inRange('maxInflight', options.maxInflight ?? DEFAULT_MAX_INFLIGHT, 1),
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_TIMEOUT_MS,
    trace: options.trace ?? null,
  };
  if (settings.will !== null) {
    const fault = topicNameFault(settings.will.topic);
    if (fault !== null) throw new InvalidRequest(TOPIC_NAME_INVALID, `invalid will topic: ${fault}`);
  }
  if (settings.password !== null && settings.username === null && !settings.profile.passwordWithoutUsername) {
    throw new InvalidRequest(PROTOCOL_ERROR, 'this version of MQTT allows no password without a user name');
  }
  tryEncoding(settings);
  return settings;
}

/** Fields that are too long show before anything is dialled. */
function tryEncoding(settings: Settings): void {
  try {
    encode(settings.profile, connectPacket(settings, true));
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidRequest(PROTOCOL_ERROR, error.message);
    throw error;
  }
}

/** The CONNECT of these settings. @param first whether the client has never been connected */
export function connectPacket(settings: Settings, first: boolean): ConnectPacket {
  const { profile, properties } = settings;
  // In MQTT 5 a clean start is a thing of the first connection: what the session holds then is meant to be resumed. Before,
  // the same flag says that the session ends with the connection.
  const resumes = profile.hasProperties && (properties.sessionExpiryInterval ?? 0) > 0;
  return {
    type: 1,
    profile,
    bridge: false,
    clientId: settings.clientId,
    cleanStart: settings.cleanStart && (first || !resumes),
    keepAlive: settings.keepAlive,
    username: settings.username,
    password: settings.password,
    will: settings.will,
    properties:
      profile.hasProperties || settings.cleanStart
        ? properties
        : { ...properties, sessionExpiryInterval: NEVER_EXPIRES },
  };
}
