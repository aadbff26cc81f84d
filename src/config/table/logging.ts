// What is logged, where and how.
import { bool, int, text } from '../kinds.ts';
import { logDestinations, logTypes } from '../log-kinds.ts';
import { rows } from './row.ts';

export const LOGGING = rows({
  log_dest: {
    kind: logDestinations,
    default: [{ to: 'stderr' }],
    reload: 'live',
    description:
      'Where log lines go; one place a line, as many lines as wanted. topic publishes them below $SYS/broker/log. file appends to a file, which is opened anew on reload, so that it can be moved away. none takes back the places named before.',
  },
  log_type: {
    kind: logTypes,
    default: ['error', 'warning', 'notice', 'information'],
    reload: 'live',
    description: 'Which types of lines are logged; one type a line. none takes back the types named before.',
  },
  log_timestamp: {
    kind: bool,
    default: true,
    reload: 'live',
    description: 'Whether log lines start with the time.',
  },
  log_timestamp_format: {
    kind: text({ syntax: 'format' }),
    default: null,
    reload: 'live',
    description:
      'Form of the time, as strftime(3) has it; %Y-%m-%dT%H:%M:%S, for example. Default: seconds since 1970.',
  },
  log_facility: {
    kind: int({ min: 0, max: 7 }),
    default: null,
    reload: 'live',
    description: 'Number of the facility local0 to local7 for log_dest syslog. Default: daemon.',
  },
  connection_messages: {
    kind: bool,
    default: true,
    reload: 'live',
    description: 'Whether connecting and disconnecting clients are logged.',
  },
});
