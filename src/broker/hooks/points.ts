// THE table of hook points: where plugin code may look at, decide on or change what the broker does. hooks.ts compiles and
// calls them; nothing else calls plugin code.

import type { PeerInfo } from '../../net/transport.ts';
import type { Properties } from '../../protocol/properties.ts';
import type { Reason } from '../../protocol/reasons.ts';

/** Answers of a deciding hook. The first that is not DEFER counts; all DEFER means DENY; no hook at all means ALLOW. */
export const DEFER = 0;
export const ALLOW = 1;
export const DENY = 2;
export type Decision = typeof DEFER | typeof ALLOW | typeof DENY;

// Reasons that a refusal may have, for plugins: rows of the table of all reason codes.
export {
  BAD_USERNAME_OR_PASSWORD,
  BANNED,
  CLIENT_IDENTIFIER_NOT_VALID,
  CONNECTION_RATE_EXCEEDED,
  NOT_AUTHORIZED,
  QUOTA_EXCEEDED,
  SERVER_BUSY,
  SERVER_MOVED,
  SERVER_UNAVAILABLE,
  USE_ANOTHER_SERVER,
} from '../../protocol/reasons.ts';

/**
 * A refusal that says more than DENY. An MQTT 5 client is told all of it; an older one gets the return code that comes
 * nearest, or just the end of the connection.
 */
export interface Refusal {
  /** A row of the reason table that CONNACK may carry, from 0x80 on, such as USE_ANOTHER_SERVER or BANNED. */
  readonly reason: Reason;
  /** Where to go instead (section 4.11), with USE_ANOTHER_SERVER and SERVER_MOVED only. */
  readonly serverReference?: string;
  /** One sentence for the client and the log. */
  readonly reasonString?: string;
}

/** Kinds of access that `authorize` is asked for. */
export const READ = 1;
export const WRITE = 2;
export const SUBSCRIBE_ACCESS = 4;
export const UNSUBSCRIBE_ACCESS = 8;
export type Access = typeof READ | typeof WRITE | typeof SUBSCRIBE_ACCESS | typeof UNSUBSCRIBE_ACCESS;

/** What a hook may know of a client. One object for the life of a connection: its identity may serve as a cache key. */
export interface ClientContext {
  readonly clientId: string;
  readonly username: string | null;
  readonly peer: PeerInfo;
}

/** A client that wants in. */
export interface AuthRequest extends ClientContext {
  readonly password: Buffer | null;
  readonly properties: Properties;
}

/** A message on its way in, as plugin code sees it. */
export interface HookMessage {
  topic: string;
  payload: Buffer;
  qos: number;
  retain: boolean;
}

/** One step of an enhanced authentication (MQTT 5.0 section 4.12). */
export interface AuthStep {
  /** ALLOW ends it, DENY refuses, DEFER asks the client for one more step with `data`. */
  readonly decision: Decision;
  readonly data: Buffer | null;
  /** The user name that the method established, if it did. */
  readonly username?: string;
  /** With DENY: more than that. */
  readonly refusal?: Refusal;
}

/** The points, with the types of their functions. */
export interface HookPoints {
  /** decide: may this client connect? A refusal counts as DENY and says why. */
  authenticate(request: AuthRequest): Decision | Refusal | Promise<Decision | Refusal>;
  /** decide: may this client, connected by its user name, stay after a reload? All DEFER lets it stay. */
  remain(client: ClientContext): Decision;
  /**
   * decide: may this client read, write, subscribe to, unsubscribe from this topic name or filter? READ is asked while a
   * message goes out and must be answered at once: a promise counts as DENY.
   */
  authorize(client: ClientContext, access: Access, topic: string): Decision | Promise<Decision>;
  /** one step of an enhanced authentication; null when the method is not this hook's. */
  authStep(
    client: ClientContext,
    method: string,
    data: Buffer | null,
    first: boolean,
  ): AuthStep | Promise<AuthStep> | null;
  /** transform: a message from a client before it is routed; null drops it (it is acknowledged all the same). */
  messageIn(client: ClientContext, message: HookMessage): HookMessage | null;
  /** notify: a client is connected, was disconnected, subscribed, unsubscribed. */
  connected(client: ClientContext): void;
  /** `reasonCode`: of the DISCONNECT that either side sent or meant; 0x80 where the connection just broke. */
  disconnected(client: ClientContext, reasonCode: number): void;
  subscribed(client: ClientContext, filter: string, qos: number): void;
  unsubscribed(client: ClientContext, filter: string): void;
}

/** How the answers of several hooks at one point are joined. */
export type HookMode = 'decide' | 'step' | 'transform' | 'notify';

/** The rows: mode of each point, and whether its answer may be cached per client and topic until the next reload. */
export const HOOK_POINTS: {
  readonly [P in keyof HookPoints]: { readonly mode: HookMode; readonly cacheable: boolean };
} = {
  authenticate: { mode: 'decide', cacheable: false },
  remain: { mode: 'decide', cacheable: false },
  authorize: { mode: 'decide', cacheable: true },
  authStep: { mode: 'step', cacheable: false },
  messageIn: { mode: 'transform', cacheable: false },
  connected: { mode: 'notify', cacheable: false },
  disconnected: { mode: 'notify', cacheable: false },
  subscribed: { mode: 'notify', cacheable: false },
  unsubscribed: { mode: 'notify', cacheable: false },
};

/** A plugin: a name for the log, some of the points, and its life. */
export interface Plugin extends Partial<HookPoints> {
  readonly name: string;
  /** False where `authorize` depends on more than client and topic, so that its answers must not be cached. */
  readonly cacheable?: boolean;
  /**
   * Reads its files anew. Throws with a sentence for the log and keeps its old state when they are bad; the broker then
   * takes nothing of the reload. A function that is returned puts what was read into force: it is called when all that
   * belongs to the reload is good, and never otherwise. It must not throw.
   */
  reload?(): unknown;
  close?(): void;
}
