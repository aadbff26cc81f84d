// From the configuration to what the core obeys: the one place where option names meet the core's.
import { totalmem } from 'node:os';
import type { Config, ListenerConfig } from '../config/config.ts';
import {
  AUTH,
  CONNECT,
  DISCONNECT,
  MAX_PACKET_ID,
  MAX_PACKET_SIZE,
  NEVER_EXPIRES,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../protocol/constants.ts';
import { profilesOfLevels } from '../protocol/version.ts';
import type { HookSet } from './hooks/hooks.ts';
import type { ListenerSettings, Settings } from './settings.ts';

/** Largest CONNECT, AUTH and SUBSCRIBE, and largest packet of the other control types, as Mosquitto has them. */
const LARGE_CONTROL = 100_000;
const SMALL_CONTROL = 10_000;

/** Settings of the core. */
export function settingsOf(config: Config): Settings {
  const { global } = config;
  const largest = Math.min(global.maxPacketSize, MAX_PACKET_SIZE);
  return {
    limits: {
      maxInflightMessages: global.maxInflightMessages === 0 ? MAX_PACKET_ID : global.maxInflightMessages,
      maxInflightBytes: global.maxInflightBytes,
      maxQueuedMessages: limitOf(global.maxQueuedMessages),
      maxQueuedBytes: global.maxQueuedBytes,
      maxKeptBytes: global.memoryLimit === 0 ? defaultKeptBytes() : global.memoryLimit,
      queueQos0Messages: global.queueQos0Messages,
      upgradeOutgoingQos: global.upgradeOutgoingQos,
    },
    sizesBeforeConnect: sizes({ [CONNECT]: LARGE_CONTROL }, largest),
    sizes: sizes(
      {
        [PUBLISH]: largest,
        [SUBSCRIBE]: LARGE_CONTROL,
        [UNSUBSCRIBE]: LARGE_CONTROL,
        [AUTH]: LARGE_CONTROL,
        [PUBACK]: SMALL_CONTROL,
        [PUBREC]: SMALL_CONTROL,
        [PUBREL]: SMALL_CONTROL,
        [PUBCOMP]: SMALL_CONTROL,
        [PINGREQ]: SMALL_CONTROL,
        [DISCONNECT]: SMALL_CONTROL,
      },
      largest,
    ),
    maximumPacketSize: global.maxPacketSize,
    messageSizeLimit: global.messageSizeLimit,
    maxKeepAlive: global.maxKeepalive,
    connectTimeoutMs: global.connectTimeout * 1000,
    maxTopicsPerSubscribe: limitOf(global.maxTopicsPerSubscribe),
    maxSubscriptions: limitOf(global.maxSubscriptionsPerClient),
    retainAvailable: global.retainAvailable,
    wildcardsAvailable: global.allowWildcardSubscriptions,
    sharedAvailable: global.allowSharedSubscriptions,
    identifiersAvailable: global.allowSubscriptionIdentifiers,
    checksPayloadFormat: global.checkPayloadFormat,
    responseInformation: global.responseInformation,
    checkRetainSource: global.checkRetainSource,
    maxClients: global.globalMaxClients,
    maxConnections: global.globalMaxConnections,
    clientIdPrefix: global.clientidPrefixes,
    logsConnections: global.connectionMessages,
  };
}

/** A quarter of the memory that the process may use. */
function defaultKeptBytes(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return (constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()) / 4;
}

/** A number of the configuration in which 0 is no limit. */
const limitOf = (count: number): number => (count === 0 ? Number.POSITIVE_INFINITY : count);

/** Size limits by packet type; types that are not named must not come. */
function sizes(wanted: Readonly<Record<number, number>>, largest: number): Uint32Array {
  const limits = new Uint32Array(16);
  for (const [type, size] of Object.entries(wanted)) limits[Number(type)] = Math.min(size, largest);
  return limits;
}

/** Seconds that sessions of absent clients are kept at the most. */
export function longestExpiry(config: Config): number {
  return config.global.persistentClientExpiration ?? NEVER_EXPIRES;
}

/** Settings of one listener. */
export function listenerSettingsOf(listener: ListenerConfig, hooks: HookSet): ListenerSettings {
  return {
    hooks,
    profiles: profilesOfLevels(listener.acceptProtocolVersions),
    maxQos: listener.maxQos,
    maxTopicAlias: listener.maxTopicAlias,
    maxTopicAliasBroker: listener.maxTopicAliasBroker,
    mountPoint: listener.mountPoint,
    maxConnections: listener.maxConnections,
    maxConnectionRate: listener.maxConnectionRate,
    allowZeroLengthClientId: listener.security.allowZeroLengthClientid,
    autoIdPrefix: listener.autoIdPrefix,
    useUsernameAsClientId: listener.useUsernameAsClientid,
    certificateUsername: listener.useIdentityAsUsername
      ? 'commonName'
      : listener.useSubjectAsUsername
        ? 'subject'
        : null,
  };
}
