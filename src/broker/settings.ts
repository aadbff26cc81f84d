// What the core obeys, derived from the configuration and replaced as a whole on reload; and what all peers share.
import type { Logger } from '../log/logger.ts';
import type { FlushTurn } from '../net/flush.ts';
import type { PeerInfo } from '../net/transport.ts';
import type { SizeLimits } from '../protocol/framer.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { Profile } from '../protocol/version.ts';
import type { Wheel } from '../util/wheel.ts';
import type { HookSet } from './hooks/hooks.ts';
import type { Retained } from './routing/retained.ts';
import type { Router } from './routing/router.ts';
import type { TopicTable } from './routing/topics.ts';
import type { Trie } from './routing/trie.ts';
import type { SessionHost } from './sessions/host.ts';
import type { SessionLimits } from './sessions/limits.ts';
import type { SessionRegistry } from './sessions/registry.ts';
import type { Store } from './store/store.ts';

/** Broker-wide settings of the core. */
export interface Settings {
  readonly limits: SessionLimits;
  /** Largest packet taken of each type, before and after CONNECT. */
  readonly sizesBeforeConnect: SizeLimits;
  readonly sizes: SizeLimits;
  /** The largest packet announced to MQTT 5 clients, 0 for none. */
  readonly maximumPacketSize: number;
  /** Largest payload, 0 for no limit: larger ones are dropped, their flow is completed. */
  readonly messageSizeLimit: number;
  /** Seconds, 0 for no limit. */
  readonly maxKeepAlive: number;
  /** Milliseconds that a connection may take until its CONNECT is complete. */
  readonly connectTimeoutMs: number;
  /** Topic filters in one SUBSCRIBE or UNSUBSCRIBE, infinite for no limit. */
  readonly maxTopicsPerSubscribe: number;
  /** Subscriptions of one session, infinite for no limit. */
  readonly maxSubscriptions: number;
  readonly retainAvailable: boolean;
  /** What subscriptions may have. */
  readonly wildcardsAvailable: boolean;
  readonly sharedAvailable: boolean;
  readonly identifiersAvailable: boolean;
  /** Payloads that are said to be UTF-8 must be. */
  readonly checksPayloadFormat: boolean;
  /** What MQTT 5 clients that ask are told about response topics, %c and %u to be filled in; null for nothing. */
  readonly responseInformation: string | null;
  readonly checkRetainSource: boolean;
  /** Sessions and connections, -1 for no limit. */
  readonly maxClients: number;
  readonly maxConnections: number;
  /** Only ids that start so may connect; null lets all. */
  readonly clientIdPrefix: string | null;
  readonly logsConnections: boolean;
}

/** Settings of one listener, as its peers see them. */
export interface ListenerSettings {
  readonly hooks: HookSet;
  readonly profiles: readonly Profile[];
  readonly maxQos: number;
  /** Topic aliases that a client may set, and that the broker may set for a client. */
  readonly maxTopicAlias: number;
  readonly maxTopicAliasBroker: number;
  /** Prefix of all topics of this listener's clients, null without. */
  readonly mountPoint: string | null;
  readonly maxConnections: number;
  /** Connections a second from one address, 0 for no limit. */
  readonly maxConnectionRate: number;
  readonly allowZeroLengthClientId: boolean;
  readonly autoIdPrefix: string;
  readonly useUsernameAsClientId: boolean;
  /** Which part of a verified client certificate is the user name; null: the CONNECT packet's field is. */
  readonly certificateUsername: 'commonName' | 'subject' | null;
}

/** What the core does to a peer from outside. */
export interface CorePeer {
  /** Messages and bytes that wait to be written to it. */
  readonly waitingMessages: number;
  readonly waitingBytes: number;
  close(reason: Reason, why: string): void;
  /** Closes the line at once. */
  destroy(): void;
}

/** What the peers of one broker share. */
export interface Core extends SessionHost {
  readonly log: Logger;
  readonly turn: FlushTurn;
  readonly wheel: Wheel;
  readonly topics: TopicTable;
  readonly trie: Trie;
  readonly retained: Retained;
  readonly router: Router;
  readonly registry: SessionRegistry;
  /** The listener that a connection came through, by its facts: whose rules hold for what outlives the connection. */
  readonly origins: WeakMap<PeerInfo, { readonly key: string; readonly settings: ListenerSettings }>;
  settings: Settings;
  limits: SessionLimits;
  /** What is on disk; null without persistence. */
  store: Store | null;
  /** Open connections of the broker, and their peers. */
  connections: number;
  readonly peers: Set<CorePeer>;
  /** Called when the last peer is gone. */
  whenEmpty: (() => void) | null;
}
