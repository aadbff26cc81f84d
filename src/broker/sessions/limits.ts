// The bounds that sessions obey, read from the configuration and replaced as a whole on reload.

/** Limits of every session of a broker. Zero means "no limit" where a byte limit is meant. */
export interface SessionLimits {
  /** QoS > 0 messages in flight to one client, by count (at least 1) and by bytes. */
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  /** Messages beyond those, or for a client that is away; as in Mosquitto the one that reaches the limit in bytes still waits. */
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  /** Bytes of all messages that wait for clients, over all sessions. */
  readonly maxKeptBytes: number;
  /** Whether QoS 0 messages are kept for a client that is away. */
  readonly queueQos0Messages: boolean;
  /** Whether deliveries use the subscription's QoS even where the message has a lower one. */
  readonly upgradeOutgoingQos: boolean;
}
