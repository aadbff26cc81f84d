// A client's options, checked and with every default filled in.
import { CONNECT, NEVER_EXPIRES } from '../protocol/constants.ts';
import { encode } from '../protocol/encode.ts';
import type { ConnectPacket, Will } from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties, WILL } from '../protocol/properties.ts';
import { PROTOCOL_ERROR, SUCCESS, TOPIC_NAME_INVALID } from '../protocol/reasons.ts';
import { topicNameFault } from '../protocol/topic.ts';
import { isSendableString } from '../protocol/utf8.ts';
import { MQTT5, MQTT31, MQTT311, type Profile } from '../protocol/version.ts';
import { firstProperties } from './authentication.ts';
import { InvalidRequest } from './errors.ts';
import type { Authentication, ClientOptions, ClientTrace, Endpoint, ReconnectOptions } from './options.ts';
import { propertiesFault } from './outgoing-properties.ts';
import { checkSession, type SessionState } from './session-state.ts';

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
  /** Of CONNECT, those of an authentication left out; none before MQTT 5. */
  readonly properties: Properties;
  readonly authentication: Authentication | null;
  /** The session of an earlier client, null without. */
  readonly restored: SessionState | null;
  /** Whether the broker may know a session of ours from the start. */
  readonly mayHaveSession: boolean;
  readonly topicAliases: number;
  readonly followServerReference: boolean;
  readonly checkPayloadFormat: boolean;
  readonly reconnect: ReconnectOptions | null;
  readonly signal: AbortSignal | null;
  readonly maxInflight: number;
  readonly connectTimeoutMs: number;
  /** Undefined for that of the transport. */
  readonly closeTimeoutMs: number | undefined;
  readonly trace: ClientTrace | null;
}

/** An identifier that nobody else has. It is no secret, and loading node:crypto for it would take 3 ms of a tool's start. */
function generatedClientId(): string {
  let id = 'mosq-';
  for (let i = 0; i < ID_LENGTH; i++) id += ID_LETTERS[Math.floor(Math.random() * ID_LETTERS.length)];
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
  const { password, will, session } = options;
  const profile = PROFILES[options.version ?? '5'];
  const properties = profile.hasProperties ? (options.properties ?? NO_PROPERTIES) : NO_PROPERTIES;
  const clientId = options.clientId ?? session?.clientId ?? generatedClientId();
  const settings: Settings = {
    endpoint: { noDelay: options.noDelay ?? true, ...options.endpoint },
    profile,
    clientId,
    cleanStart: options.cleanStart ?? (session === undefined || session === null),
    keepAlive: inRange('keepAlive', options.keepAlive ?? DEFAULT_KEEP_ALIVE, 0),
    username: options.username ?? null,
    password: password === undefined ? null : Buffer.from(password),
    will: will ?? null,
    properties: withoutAuthentication(properties),
    authentication: options.authentication ?? plainAuthentication(properties),
    restored: session ?? null,
    mayHaveSession: session !== null && clientId !== '',
    topicAliases: inRange('topicAliases', options.topicAliases ?? 0, 0),
    followServerReference: options.followServerReference ?? false,
    checkPayloadFormat: options.checkPayloadFormat ?? false,
    reconnect: options.reconnect ?? null,
    signal: options.signal ?? null,
    maxInflight: inRange('maxInflight', options.maxInflight ?? DEFAULT_MAX_INFLIGHT, 1),
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_TIMEOUT_MS,
    closeTimeoutMs: options.closeTimeoutMs,
    trace: options.trace ?? null,
  };
  checkSettings(settings, properties);
  if (settings.restored !== null) checkRestored(settings, settings.restored);
  tryEncoding(settings);
  return settings;
}

function invalid(sentence: string): InvalidRequest {
  return new InvalidRequest(PROTOCOL_ERROR, sentence);
}

/** These are put in front of every CONNECT anew. */
function withoutAuthentication(properties: Properties): Properties {
  if (properties.authenticationMethod === undefined) return properties;
  const { authenticationMethod: _, authenticationData: __, ...others } = properties;
  return others;
}

/** A method that is named among the properties alone has one step: what goes out with CONNECT. */
function plainAuthentication({ authenticationMethod, authenticationData }: Properties): Authentication | null {
  if (authenticationMethod === undefined) return null;
  return {
    method: authenticationMethod,
    ...(authenticationData === undefined ? {} : { data: authenticationData }),
    step: (_, reason) => {
      if (reason === SUCCESS) return null;
      throw new Error(`the broker wants another step of ${authenticationMethod}, and none is known`);
    },
  };
}

function checkSettings(settings: Settings, properties: Properties): void {
  const { profile, clientId, cleanStart, username, password, authentication } = settings;
  if (settings.will !== null) checkWill(settings.will, profile);
  if (password !== null && username === null && !profile.passwordWithoutUsername) {
    throw invalid('this version of MQTT allows no password without a user name'); // [MQTT3-3.1.2-22]
  }
  if (!isSendableString(clientId)) throw invalid('the client identifier is too long or not valid UTF-8'); // [MQTT-3.1.3-4]
  if (username !== null && !isSendableString(username)) {
    throw invalid('the user name is too long or not valid UTF-8'); // [MQTT-3.1.3-12]
  }
  if (clientId === '' && !profile.allowsEmptyClientId) throw invalid('this version of MQTT needs a client identifier');
  if (clientId === '' && !cleanStart && !profile.emptyClientIdMayPersist) {
    throw invalid('an empty client identifier needs a clean session in this version of MQTT'); // [MQTT3-3.1.3-7]
  }
  if (authentication !== null && !profile.hasProperties) {
    throw invalid('this version of MQTT has no enhanced authentication');
  }
  const method = authentication === null ? {} : { authenticationMethod: authentication.method };
  const fault = propertiesFault({ ...properties, ...method }, CONNECT);
  if (fault !== null) throw invalid(fault);
}

function checkWill({ topic, qos, properties }: Will, profile: Profile): void {
  const fault = topicNameFault(topic);
  if (fault !== null) throw new InvalidRequest(TOPIC_NAME_INVALID, `invalid will topic: ${fault}`);
  if (qos !== 0 && qos !== 1 && qos !== 2) throw invalid(`${qos} is no QoS of a will`); // [MQTT-3.1.2-12]
  const wrong = profile.hasProperties ? propertiesFault(properties, WILL) : null;
  if (wrong !== null) throw invalid(wrong);
}

function checkRestored(settings: Settings, restored: SessionState): void {
  checkSession(restored);
  if (settings.cleanStart) throw invalid('a saved session goes on only without a clean start');
  if (settings.clientId !== restored.clientId) {
    throw invalid(`the saved session is that of ${restored.clientId}, not of ${settings.clientId}`); // [MQTT-3.1.3-2]
  }
}

/** Fields that are too long show before anything is dialled. */
function tryEncoding(settings: Settings): void {
  try {
    encode(settings.profile, connectPacket({ ...settings, authentication: null }, true, settings.clientId));
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidRequest(PROTOCOL_ERROR, error.message);
    throw error;
  }
}

/**
 * The CONNECT of these settings.
 * @param first whether the client has never been connected
 * @param clientId ours, or the one that the broker assigned before
 */
export function connectPacket(settings: Settings, first: boolean, clientId: string): ConnectPacket {
  const { profile, authentication } = settings;
  const properties =
    authentication === null ? settings.properties : { ...settings.properties, ...firstProperties(authentication) };
  // In MQTT 5 a clean start is a thing of the first connection: what the session holds then is meant to be resumed. Before,
  // the same flag says that the session ends with the connection.
  const resumes = profile.hasProperties && (properties.sessionExpiryInterval ?? 0) > 0;
  return {
    type: CONNECT,
    profile,
    bridge: false,
    clientId,
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
