// What a client is told: typed options and their defaults, and the shapes that its calls take and give.
import type { ProxySpec, SrvOptions, TlsDialOptions } from '../net/specs.ts';
import type { ControlPacket, SubscriptionRequest, Will } from '../protocol/packets.ts';
import type { Properties } from '../protocol/properties.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { SessionState } from './session-state.ts';

/** TLS towards a broker. Contents are PEM text or DER bytes, not file names. */
export type TlsClientOptions = TlsDialOptions;

/** Where the broker is. */
export interface Endpoint {
  readonly kind: 'tcp' | 'tls' | 'ws' | 'wss' | 'unix';
  /** Host name or address; the path for 'unix'. */
  readonly host: string;
  readonly port: number;
  /** Path of the WebSocket request, '/mqtt' by default. */
  readonly path?: string;
  readonly localAddress?: string;
  readonly tls?: TlsClientOptions;
  /** A SOCKS5 proxy to connect through; not for 'unix'. */
  readonly proxy?: ProxySpec;
  /** Host is a domain: its SRV records name the brokers to try, anew for each connection. Not for 'unix'. */
  readonly srv?: SrvOptions;
}

/** A PUBLISH as a trace sees it. */
export interface PublishTrace {
  readonly type: 3;
  readonly id: number;
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly payloadLength: number;
}

/** Sees every packet in the order of the wire. */
export interface ClientTrace {
  sending(packet: ControlPacket | PublishTrace): void;
  received(packet: ControlPacket | PublishTrace): void;
  /**
   * Sees the bytes of a packet, in front of its `sending` or `received`; of one that can't be understood these are all there
   * is. `rest` is what does not stand in one piece with the head, and may be empty. Both are only lent. A topic alias that
   * the client chooses by itself is not in it yet.
   */
  bytes?(isSent: boolean, head: Buffer, rest: Buffer): void;
}

/** Delays between attempts to connect again, in milliseconds. The delay doubles with each failure, with jitter. */
export interface ReconnectOptions {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Attempts in a row that may fail before the client gives up with the last one's error; default: no bound. 0 makes none. */
  readonly maxAttempts?: number;
  /** Whether a first connection that fails is tried again as well; default false. */
  readonly first?: boolean;
  /** Told of every delay before it begins, as the event `reconnecting`; of those of a first connection nothing else tells. */
  readonly announce?: (error: Error, delayMs: number, attempt: number) => void;
}

/**
 * Enhanced authentication (MQTT 5.0 section 4.12). One object serves every connection of a client, so a method that keeps
 * something between steps starts over when `data` is asked for.
 */
export interface Authentication {
  /** Name of the method: the server's word for it, for example 'SCRAM-SHA-256'. */
  readonly method: string;
  /** What CONNECT, or the AUTH of a re-authentication, begins with; a function is asked anew each time. */
  readonly data?: Buffer | (() => Buffer);
  /**
   * Answers the data of the server. With reason CONTINUE_AUTHENTICATION (0x18) what it gives goes out as the next AUTH, null
   * without data. With SUCCESS (0x00) it only looks at what came last: the place to check the server. To throw or reject
   * ends the connection with ConnectionLost.
   */
  step(data: Buffer | null, reason: Reason): Buffer | null | Promise<Buffer | null>;
}

/** Options of `connect`. */
export interface ClientOptions {
  readonly endpoint: Endpoint;
  /** '5' by default. */
  readonly version?: '3.1' | '3.1.1' | '5';
  /** Default: that of `session`, else `mosq-` and 18 random alphanumerics. */
  readonly clientId?: string;
  /** Default true, false with a `session`. */
  readonly cleanStart?: boolean;
  /** Seconds, 0 or 1 … 65,535; default 60. */
  readonly keepAlive?: number;
  readonly username?: string;
  readonly password?: string | Buffer;
  readonly will?: Will;
  /** Properties of CONNECT (MQTT 5). */
  readonly properties?: Properties;
  /** Null (the default): a lost connection ends the client. Else it dials again, resumes and subscribes anew if needed. */
  readonly reconnect?: ReconnectOptions | null;
  /** Gives up connecting for the first time: `connect` rejects. It does nothing to a client that was connected. */
  readonly signal?: AbortSignal;
  /** QoS > 0 messages in flight at once; default 20, further bounded by the broker's receive maximum. */
  readonly maxInflight?: number;
  /** Milliseconds for dialling and CONNACK together; default 30,000. */
  readonly connectTimeoutMs?: number;
  /**
   * Milliseconds that the broker has to close its side once our end is with the system, where it owes no answer; default
   * 2,000. What it has not read yet is delivered by the system also after that. Without meaning over WebSocket.
   */
  readonly closeTimeoutMs?: number;
  readonly trace?: ClientTrace;
  /** Enhanced authentication (MQTT 5). */
  readonly authentication?: Authentication;
  /**
   * The session of an earlier client, as its `session()` gave it: its unacknowledged messages are sent again and no QoS 2
   * message is handed out twice. Null says that there is none: a broker that has one all the same is left
   * [MQTT-3.2.2-4]. Without this option, what the broker has is taken over with an empty state.
   */
  readonly session?: SessionState | null;
  /** Most topic aliases that the client uses by itself (MQTT 5), also bounded by the broker's maximum; default 0. */
  readonly topicAliases?: number;
  /**
   * Goes to the server that a refusal, or with `reconnect` a DISCONNECT, of 0x9C or 0x9D names; default false, for
   * credentials go there too. Only the first one named is tried.
   */
  readonly followServerReference?: boolean;
  /**
   * Refuses messages that say to be text and are no UTF-8 (MQTT 5): they are acknowledged by 0x99 and not handed out.
   * Default false.
   */
  readonly checkPayloadFormat?: boolean;
  /** Sets TCP_NODELAY; default true. */
  readonly noDelay?: boolean;
}

/** A message that came in. */
export interface ReceivedMessage {
  readonly topic: string;
  /** Stays valid; may be a view of a larger chunk. */
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  /** Packet identifier; 0 at QoS 0. */
  readonly id: number;
  readonly properties: Properties;
}

/** Options of one publish. */
export interface PublishOptions {
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

/** How a publish ended: at once when written for QoS 0, by PUBACK or PUBCOMP (or a refusing PUBREC) otherwise. */
export interface PublishResult {
  readonly id: number;
  readonly reason: Reason;
  readonly properties: Properties;
}

/** How a subscribe or unsubscribe was answered: a code for each filter, in order (empty for a 3.x UNSUBACK). */
export interface SubscribeResult {
  readonly id: number;
  readonly codes: readonly number[];
  readonly properties: Properties;
}

/** One filter with its options; a plain string means QoS 0. */
export type SubscribeFilter = string | ({ readonly filter: string } & Partial<Omit<SubscriptionRequest, 'filter'>>);

/** What the broker's CONNACK granted. */
export interface ConnectedInfo {
  readonly sessionPresent: boolean;
  readonly clientId: string;
  readonly properties: Properties;
}

/** Events of a client; handlers run in the loop turn of the packet. */
export interface ClientEvents {
  /** After every successful CONNACK, also after a reconnect. */
  connect(info: ConnectedInfo): void;
  message(message: ReceivedMessage): void;
  /** The broker sent DISCONNECT (MQTT 5). */
  disconnect(reason: Reason, properties: Properties): void;
  /** A connection was lost or an attempt failed, and another one follows after delayMs. */
  reconnecting(error: Error, delayMs: number): void;
  /** The end: the client is closed and will do nothing more. `error` is null after end(). */
  close(error: Error | null): void;
}

/**
 * The public client (client.ts has the class; `connect(options)` resolves to one after CONNACK).
 * Errors: ConnectRefused (reason, connack properties, 3.x return code), ConnectionLost, PeerFault, ProxyError, LookupError
 * (SRV records, a local address), or the dialer's own.
 */
export interface Client {
  readonly info: ConnectedInfo;
  /**
   * After end(): the other side broke the connection off (a reset) instead of closing it in an orderly way, so it may not
   * have read what was sent last. Only known of TCP and Unix sockets, and of a reset that comes within `closeTimeoutMs`.
   */
  readonly wasReset: boolean;
  publish(topic: string, payload: string | Buffer, options?: PublishOptions): Promise<PublishResult>;
  subscribe(filters: SubscribeFilter | readonly SubscribeFilter[], properties?: Properties): Promise<SubscribeResult>;
  unsubscribe(filters: string | readonly string[], properties?: Properties): Promise<SubscribeResult>;
  /** Messages as an async iterable; ends when the client closes. */
  messages(): AsyncIterable<ReceivedMessage>;
  on<E extends keyof ClientEvents>(event: E, handler: ClientEvents[E]): this;
  off<E extends keyof ClientEvents>(event: E, handler: ClientEvents[E]): this;
  /** Waits until at most `count` published messages are unacknowledged and little is unsent: back-pressure for senders. */
  drained(count?: number): Promise<void>;
  /** Stops and resumes taking bytes from the broker: back-pressure for receivers. */
  pause(): void;
  resume(): void;
  /**
   * Authenticates anew on the same connection (MQTT 5.0 section 4.12.1). Rejects with InvalidRequest without the option
   * `authentication`, without a connection or while another one is under way, with ConnectionLost when it fails.
   */
  reauthenticate(): Promise<void>;
  /**
   * What another client needs to go on where this one stops: unacknowledged messages of QoS 1 and 2 and the identifiers of
   * QoS 2 messages that were received and not released. To be taken when the client is closed, or at any moment.
   */
  session(): SessionState;
  /**
   * Sends DISCONNECT and closes; resolves when closed. Reason code 0 by default, 4 has the broker send the will. Rejects with
   * InvalidRequest, and goes on, for a DISCONNECT that cannot be sent: a code that is none of a client's, or a session
   * expiry above 0 where CONNECT said 0.
   */
  end(code?: number, properties?: Properties): Promise<void>;
}
