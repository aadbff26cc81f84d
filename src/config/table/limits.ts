// Limits of messages and queues, and retained messages.
import { bool, int } from '../kinds.ts';
import { rows } from './row.ts';

const bytes = int({ min: 0, max: Number.MAX_SAFE_INTEGER, negative: 0, syntax: 'bytes' });

export const LIMITS = rows({
  max_inflight_messages: {
    kind: int({ min: 0, max: 65_535, negative: 0, error: (name) => `Error: ${name} must be <= 65535.` }),
    default: 20,
    reload: 'live',
    description:
      'Most messages of QoS 1 and 2 on their way to one client without acknowledgement; 0 is no limit, 1 keeps them in strict order.',
  },
  max_inflight_bytes: {
    kind: bytes,
    default: 0,
    reload: 'live',
    description:
      'The same limit in bytes, of topics, properties and payloads: a message goes out while what is on its way is below it. 0 is no limit.',
  },
  max_queued_messages: {
    kind: int({ min: 0, max: 2_147_483_647, negative: 0 }),
    default: 1000,
    reload: 'live',
    description:
      'Most messages of QoS 1 and 2 that wait for one client beyond those on their way. Further ones are dropped. 0 is no limit, which is not wise.',
  },
  max_queued_bytes: {
    kind: bytes,
    default: 0,
    reload: 'live',
    description:
      'The same limit in bytes, of topics, properties and payloads: a message is taken while what waits is below it. 0 is no limit. With both limits, the first that is reached counts.',
  },
  queue_qos0_messages: {
    kind: bool,
    default: false,
    reload: 'live',
    description: 'true: messages of QoS 0 wait for a persistent client that is away, as those of QoS 1 and 2 do.',
  },
  max_packet_size: {
    kind: int({ min: 20, max: 2_147_483_647, syntax: 'bytes' }),
    default: 2_000_000,
    reload: 'live',
    description:
      'Largest packet that is accepted, 20 bytes or more. A client that sends a larger one is disconnected; MQTT 5 clients are told the limit.',
  },
  connect_timeout: {
    kind: int({ min: 1, max: 65_535, syntax: 'seconds' }),
    default: 30,
    reload: 'live',
    description:
      'Time that a connection has until its CONNECT is there as a whole, however slowly it comes; the TLS handshake, and then the WebSocket upgrade, have as long again. An option of mqtt-broker only.',
  },
  max_topics_per_subscribe: {
    kind: int({ min: 0, max: 65_535 }),
    default: 1000,
    reload: 'live',
    description:
      'Most topic filters in one SUBSCRIBE or UNSUBSCRIBE; a client that sends more is disconnected. 0 is no limit but the size of the packet. An option of mqtt-broker only.',
  },
  message_size_limit: {
    kind: int({ min: 0, max: 268_435_455, syntax: 'bytes' }),
    default: 0,
    reload: 'live',
    note: 'Note: It is recommended to replace `message_size_limit` with `max_packet_size`.',
    description:
      'Largest payload that is passed on; a message with a larger one is acknowledged and dropped. 0 is no limit. max_packet_size is the better choice.',
  },
  max_keepalive: {
    kind: int({ min: 0, max: 65_535, syntax: 'seconds' }),
    default: 0,
    reload: 'live',
    description:
      'Longest keep-alive of a client; 0 is no limit. An MQTT 5 client is told to use this one, an older client is refused.',
  },
  retain_available: {
    kind: bool,
    default: true,
    reload: 'live',
    description: 'false: there are no retained messages, and a client that publishes one is disconnected.',
  },
  max_subscriptions_per_client: {
    kind: int({ min: 0, max: 2_147_483_647 }),
    default: 100_000,
    reload: 'live',
    description:
      'Most subscriptions that one client may have at a time; further ones are refused, and those that it has stay. 0 is no limit. An option of mqtt-broker only.',
  },
  allow_wildcard_subscriptions: {
    kind: bool,
    default: true,
    reload: 'live',
    description:
      'false: filters with + or # are refused. An MQTT 5 client is told in advance, and disconnected if it subscribes to one all the same. An option of mqtt-broker only.',
  },
  allow_shared_subscriptions: {
    kind: bool,
    default: true,
    reload: 'live',
    description: 'false: shared subscriptions are refused, in the same way. An option of mqtt-broker only.',
  },
  allow_subscription_identifiers: {
    kind: bool,
    default: true,
    reload: 'live',
    description:
      'false: MQTT 5 clients are told that there are no subscription identifiers, and disconnected if they send one. An option of mqtt-broker only.',
  },
  check_payload_format: {
    kind: bool,
    default: false,
    reload: 'live',
    description:
      'true: a message or will of an MQTT 5 client whose payload format indicator promises UTF-8 is refused if its payload is something else. An option of mqtt-broker only.',
  },
  retain_expiry_interval: {
    kind: int({ min: 0, max: 65_535, syntax: 'minutes' }),
    default: 0,
    reload: 'live',
    description: 'Minutes between searches for expired retained messages; 0 removes them when they are met.',
  },
  check_retain_source: {
    kind: bool,
    default: true,
    reload: 'live',
    description:
      'A retained message is only delivered while the client that published it still has the right to publish to its topic.',
  },
  packet_buffer_size: {
    kind: int({
      min: 0,
      max: 65_535,
      syntax: 'bytes',
      error: () => 'Error: Websockets headers size must be between 0 and 65535 inclusive.',
    }),
    default: 4096,
    reload: 'live',
    aliases: ['websockets_headers_size'],
    description: 'Accepted for the sake of existing files. Buffers are sized as needed, so it changes nothing.',
  },
});
