// The kinds of log_dest and log_type.
import { LOG_TYPES, type LogType } from '../log/logger.ts';
import type { LogDestination } from '../log/sinks.ts';
import { type Kind, Unfit } from './kinds.ts';

const NAMED = ['stdout', 'stderr', 'syslog', 'topic'] as const;
const FOREIGN = ['dlt', 'android'];
const DESTINATION_HINT = 'It must be one of stdout, stderr, syslog, topic, file PATH, none.';
const SECOND_FILE = new Unfit('Only one log file can be written.', () => 'Error: Duplicate "log_dest file" value.');

function isDestination(value: unknown): value is LogDestination {
  if (typeof value !== 'object' || value === null || !('to' in value)) return false;
  if (value.to === 'file') return 'path' in value && typeof value.path === 'string' && value.path !== '';
  return NAMED.some((name) => name === value.to);
}

/** Places that log lines go to; `none` takes back what was named before. */
export const logDestinations: Kind<readonly LogDestination[]> = {
  syntax: 'stdout | stderr | syslog | topic | file PATH | none',
  wholeLine: true,
  repeat: 'add',
  parse(text) {
    const [word = '', ...rest] = text.split(' ');
    if (word === 'none') return [];
    const name = NAMED.find((known) => known === word);
    if (name !== undefined) return [{ to: name }];
    if (word === 'file') {
      const path = rest.join(' ').trim();
      if (path === '') return new Unfit(null, () => 'Error: Empty "log_dest file" value in configuration.');
      return [{ to: 'file', path }];
    }
    if (FOREIGN.includes(word)) {
      return new Unfit(DESTINATION_HINT, () => `Error: 'log_dest ${word}' is not supported by mqtt-broker.`);
    }
    return new Unfit(DESTINATION_HINT);
  },
  fault(value) {
    if (!Array.isArray(value) || !value.every(isDestination)) {
      return new Unfit("It must be a list of { to: 'stderr' } and the like; a file is { to: 'file', path }.");
    }
    return value.filter((one) => one.to === 'file').length > 1 ? SECOND_FILE : null;
  },
  print: (value) =>
    value.length === 0 ? ['none'] : value.map((one) => (one.to === 'file' ? `file ${one.path}` : one.to)),
  add: (earlier, later) => (later.length === 0 ? [] : [...earlier, ...later]),
};

/** Types of lines that are logged; `none` takes back what was named before, `all` names every type. */
export const logTypes: Kind<readonly LogType[]> = {
  syntax: `${LOG_TYPES.join(' | ')} | all | none`,
  wholeLine: false,
  repeat: 'add',
  parse(text) {
    if (text === 'none') return [];
    if (text === 'all') return LOG_TYPES;
    const type = LOG_TYPES.find((known) => known === text);
    return type === undefined ? new Unfit(`It must be one of ${LOG_TYPES.join(', ')}, all, none.`) : [type];
  },
  fault(value) {
    if (Array.isArray(value) && value.every((type) => LOG_TYPES.includes(type))) return null;
    return new Unfit(`It must be a list of ${LOG_TYPES.join(', ')}.`);
  },
  print: (value) => (value.length === 0 ? ['none'] : value),
  add: (earlier, later) =>
    later.length === 0 ? [] : LOG_TYPES.filter((t) => earlier.includes(t) || later.includes(t)),
};
