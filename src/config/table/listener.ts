// Options of a listener, TLS apart.
import { bool, directive, folder, int, oneOf, protocolLevels, text, texts, Unfit } from '../kinds.ts';
import { rows } from './row.ts';
import { prefixFault } from './security.ts';

const aliases = int({ min: 0, max: 65_535 });

/** A mount point goes in front of topics, so it is no place for wildcards. */
function mountPointFault(value: string): Unfit | null {
  if (!/[+#]/.test(value)) return null;
  return new Unfit(null, (name) => `Error: Invalid ${name} '${value}'. Does it contain a wildcard character?`);
}

const qosError = () => 'Error: max_qos must be between 0 and 2 inclusive.';

export const LISTENER = rows({
  listener: {
    kind: directive('port [host | path of a Unix socket]'),
    default: null,
    reload: 'live',
    description:
      'Opens a listener on this TCP port, on every address or on the one that is named. Port 0 with a path opens a Unix socket. The listener options below it belong to it. A reload opens new listeners and closes those that are gone.',
  },
  port: {
    kind: int({ min: 1, max: 65_535, syntax: 'port' }),
    default: 1883,
    reload: 'live',
    deprecated: "Please use 'listener' instead.",
    description: 'TCP port of the default listener, which the listener options before the first listener belong to.',
  },
  bind_address: {
    kind: text({ syntax: 'host' }),
    default: null,
    reload: 'live',
    deprecated: "Please use 'listener' instead.",
    description: 'Address of the default listener. Default: every address.',
  },
  protocol: {
    kind: oneOf(['mqtt', 'websockets'], { http_api: 'There is no HTTP API yet; remove the listener.' }),
    default: 'mqtt',
    reload: 'live',
    reopens: true,
    description: 'What clients speak here: MQTT itself, or MQTT inside WebSocket.',
  },
  accept_protocol_versions: {
    kind: protocolLevels,
    default: [3, 4, 5],
    reload: 'live',
    description: 'Versions of MQTT that clients may use here: 3 is 3.1, 4 is 3.1.1, 5 is 5.0.',
  },
  bind_interface: {
    kind: text({ syntax: 'device' }),
    default: null,
    reload: 'restart',
    refusal: 'Name the address of the interface in the listener line instead.',
    description: 'Network device to listen on.',
  },
  socket_domain: {
    kind: oneOf(['ipv4', 'ipv6']),
    default: null,
    reload: 'live',
    reopens: true,
    description: 'Listens on IPv4 or IPv6 only. Default: both.',
  },
  max_connections: {
    kind: int({ min: -1, max: 2_147_483_647, negative: -1 }),
    default: -1,
    reload: 'live',
    description: 'Most clients that may be connected here at a time; -1 is no limit.',
  },
  max_connection_rate: {
    kind: int({ min: 0, max: 65_535, syntax: 'number' }),
    default: 0,
    reload: 'live',
    description:
      'Most connections a second that one address may make here, once it has made as many at a time; 0 is no limit. The first 64 bits of an IPv6 address count as one address. Those above it are closed, with TLS and WebSocket before the handshake. An option of mqtt-broker only.',
  },
  max_qos: {
    kind: int({ min: 0, max: 2, syntax: '0 | 1 | 2', error: qosError }),
    default: 2,
    reload: 'live',
    aliases: ['maximum_qos'],
    description: 'Highest QoS that clients may publish with here. MQTT 5 clients are told it.',
  },
  max_topic_alias: {
    kind: aliases,
    default: 10,
    reload: 'live',
    description: 'Most topic aliases that an MQTT 5 client may set up here.',
  },
  max_topic_alias_broker: {
    kind: aliases,
    default: 10,
    reload: 'live',
    description: 'Most topic aliases that the broker sets up for an MQTT 5 client here.',
  },
  mount_point: {
    kind: text({ syntax: 'prefix', judge: mountPointFault }),
    default: null,
    reload: 'live',
    description:
      'Text put in front of the topics of all clients here, and taken off again on the way back, so that they have a part of the topics to themselves.',
  },
  listener_allow_anonymous: {
    kind: bool,
    default: null,
    reload: 'live',
    description: 'Counts for this listener instead of allow_anonymous. Default: the value of allow_anonymous.',
  },
  listener_auto_id_prefix: {
    kind: text({ syntax: 'prefix', judge: prefixFault }),
    default: null,
    reload: 'live',
    description: 'Counts for this listener instead of auto_id_prefix. Default: the value of auto_id_prefix.',
  },
  use_username_as_clientid: {
    kind: bool,
    default: false,
    reload: 'live',
    description: 'true: a client gets its user name as its client id, and one without user name is refused.',
  },
  enable_proxy_protocol: {
    kind: oneOf(['1', '2']),
    default: null,
    reload: 'restart',
    refusal: 'The PROXY protocol is not served yet; have the load balancer connect without it.',
    description: 'Version of the PROXY protocol that a load balancer in front of this listener speaks.',
  },
  proxy_protocol_v2_require_tls: {
    kind: bool,
    default: false,
    reload: 'restart',
    refusal: 'The PROXY protocol is not served yet; remove the line.',
    description: 'Refuses clients that did not use TLS towards the load balancer.',
  },
  http_dir: {
    kind: folder,
    default: null,
    reload: 'restart',
    refusal: 'Files are not served yet; use a web server for them.',
    description: 'Folder whose files are served over HTTP.',
  },
  websockets_origin: {
    kind: texts('origin'),
    default: [],
    reload: 'live',
    description:
      'Origin that a web page must have to connect, such as https://example.org; one a line. Default: every origin.',
  },
  websockets_log_level: {
    kind: int({ min: 0, max: 2_147_483_647, syntax: 'level' }),
    default: 0,
    reload: 'live',
    ignored: true,
    description: 'Read and ignored: it tunes a library that is not used here. See log_type websockets.',
  },
});
