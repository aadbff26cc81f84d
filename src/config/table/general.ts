// General options (mosquitto.conf 2.1).
import { bool, directive, duration, file, int, text } from '../kinds.ts';
import { rows } from './row.ts';

const limit = (max: number) => int({ min: -1, max });

export const GENERAL = rows({
  include_dir: {
    kind: directive('folder'),
    default: null,
    reload: 'live',
    description:
      'Reads every file of this folder whose name ends in .conf, at this point. Sub-folders are left out. The order is that of the names without regard to case; of two names that differ in case only, the one with the capital comes first. Only the main file may use it.',
  },
  pid_file: {
    kind: file,
    default: null,
    reload: 'restart',
    description: 'File to write the process id to. A broker that cannot write it does not start. Default: none.',
  },
  user: {
    kind: text({ syntax: 'user' }),
    default: null,
    reload: 'restart',
    description:
      'User to change to once sockets and files are open, when the broker was started by root. The store is opened after that, and belongs to this user. Has no meaning for other users.',
  },
  per_listener_settings: {
    kind: bool,
    default: false,
    reload: 'live',
    deprecated: "Please use 'listener_allow_anonymous' and 'listener_auto_id_prefix' where they suffice.",
    description:
      'true: the security options apply to the listener above them, each listener having its own. Must come before every security option.',
  },
  allow_duplicate_messages: {
    kind: bool,
    default: true,
    reload: 'live',
    deprecated: 'The behaviour will default to true.',
    description:
      'A client with several matching subscriptions receives a message once for each. false: once, with the highest QoS of them.',
  },
  enable_control_api: {
    kind: bool,
    default: false,
    reload: 'restart',
    refusal: 'There is no $CONTROL API yet; remove the line.',
    description: 'Serves the topic $CONTROL/broker/v1.',
  },
  set_tcp_nodelay: {
    kind: bool,
    default: false,
    reload: 'live',
    description:
      'Sends every packet at once instead of waiting for more of them to fill a segment. Holds for connections made afterwards.',
  },
  sys_interval: {
    kind: int({ min: 0, max: 65_535, syntax: 'seconds' }),
    default: 10,
    reload: 'live',
    description: 'Seconds between updates of the $SYS topics; 0 turns them off.',
  },
  upgrade_outgoing_qos: {
    kind: bool,
    default: false,
    reload: 'live',
    description:
      'true: messages go out with the QoS of the subscription, even above the one they were published with. MQTT does not provide for it.',
  },
  clientid_prefixes: {
    kind: text({ syntax: 'prefix' }),
    default: null,
    reload: 'live',
    deprecated: '',
    description: 'Only clients whose id starts with this text may connect. Default: every id is fine.',
  },
  response_information: {
    kind: text({ syntax: 'text' }),
    default: null,
    reload: 'live',
    description:
      'Told to MQTT 5 clients that ask for response information, commonly the part of the topics that their response topics may begin with. %c stands for the client id and %u for the user name; a client without user name is told nothing if there is a %u, nor is one whose name or id has a + or # in it. Default: nothing. An option of mqtt-broker only.',
  },
  retry_interval: {
    kind: int({ min: 0, max: 2_147_483_647, syntax: 'seconds' }),
    default: 0,
    reload: 'live',
    ignored: true,
    description: 'Read and ignored: messages are sent again when a client connects again, never in between.',
  },
  memory_limit: {
    kind: int({ min: 0, max: Number.MAX_SAFE_INTEGER, syntax: 'bytes' }),
    default: 0,
    reload: 'live',
    description:
      'Bytes of memory that messages which wait for clients may take, over all clients; a message that many wait for counts once. At this mark publishers are read from more slowly for a moment, then clients that have more than their share waiting get no more until there is room; what is on its way to them may take as much again. 0 is a quarter of the memory that the process may use. In Mosquitto it is a limit of the heap.',
  },
  global_max_clients: {
    kind: limit(2_147_483_647),
    default: -1,
    reload: 'live',
    description: 'Most sessions, connected or not, that the broker keeps; -1 is no limit.',
  },
  global_max_connections: {
    kind: limit(2_147_483_647),
    default: -1,
    reload: 'live',
    description: 'Most connections over all listeners; -1 is no limit.',
  },
  persistent_client_expiration: {
    kind: duration,
    default: null,
    reload: 'live',
    description:
      'Sessions are removed when their client stays away this long: a number followed by s, h, d, w, m or y for seconds, hours, days, weeks, months (30 days) or years (365 days). Default: never.',
  },
});
