// Topic names and filters (MQTT 5.0 section 4.7): validity, matching, and the parts of a shared subscription's filter.
// Everything walks by index: a topic may have 65,535 levels, so there is no recursion and no split where it can be avoided.
import { isSendableString } from './utf8.ts';

/** Why a string is no topic name, or null if it is one [MQTT-4.7.1-1, MQTT-4.7.3-1, MQTT-4.7.3-2, MQTT-4.7.3-3]. */
export function topicNameFault(name: string): string | null {
  if (name.length === 0) return 'it is empty';
  if (name.includes('+') || name.includes('#')) return "it contains '+' or '#'";
  return isSendableString(name) ? null : 'it is longer than 65535 bytes, is not valid UTF-8 or has a control character';
}

/** Why a string is no topic filter, or null if it is one [MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT-4.7.3-1]. */
export function topicFilterFault(filter: string): string | null {
  if (filter.length === 0) return 'it is empty';
  if (!isSendableString(filter)) return 'it is longer than 65535 bytes, is not valid UTF-8 or has a control character';
  let levelStart = 0;
  for (let i = 0; i < filter.length; i++) {
    const char = filter.charCodeAt(i);
    if (char === SLASH) {
      levelStart = i + 1;
    } else if (char === PLUS) {
      const aloneInLevel = i === levelStart && (i + 1 === filter.length || filter.charCodeAt(i + 1) === SLASH);
      if (!aloneInLevel) return "'+' must fill a whole level";
    } else if (char === HASH && (i !== levelStart || i + 1 !== filter.length)) {
      return "'#' must be the whole last level";
    }
  }
  return sharedFault(filter);
}

/** The group and the filter of a shared subscription `$share/group/filter`. */
export interface SharedFilter {
  readonly group: string;
  readonly filter: string;
}

const SHARE = '$share/';

/** Splits a shared subscription's filter; null if it is an ordinary one. Only for filters without a fault. */
export function splitShared(filter: string): SharedFilter | null {
  if (!filter.startsWith(SHARE)) return null;
  const end = filter.indexOf('/', SHARE.length);
  return { group: filter.slice(SHARE.length, end), filter: filter.slice(end + 1) };
}

/** [MQTT-4.8.2-1, MQTT-4.8.2-2] */
function sharedFault(filter: string): string | null {
  if (filter !== '$share' && !filter.startsWith(SHARE)) return null;
  const end = filter.indexOf('/', SHARE.length);
  if (end === -1) return 'a shared subscription needs a group and a filter: $share/GROUP/FILTER';
  const group = filter.slice(SHARE.length, end);
  if (group.length === 0 || group.includes('+') || group.includes('#')) {
    return "the group of a shared subscription must not be empty or contain '+' or '#'";
  }
  return end + 1 === filter.length ? 'a shared subscription needs a filter behind its group' : null;
}

/** Whether a filter (not a shared one) matches a topic name; `$` topics need a filter that starts with `$` [MQTT-4.7.2-1]. */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.charCodeAt(0) === DOLLAR && filter.charCodeAt(0) !== DOLLAR) return false;
  let f = 0;
  let t = 0;
  // Invariant: both stand at the start of a level.
  for (;;) {
    const char = filter.charCodeAt(f);
    if (char === HASH) return true;
    if (char === PLUS) {
      f += 1;
      while (t < topic.length && topic.charCodeAt(t) !== SLASH) t += 1;
    } else {
      while (f < filter.length && filter.charCodeAt(f) !== SLASH) {
        if (t >= topic.length || filter.charCodeAt(f) !== topic.charCodeAt(t)) return false;
        f += 1;
        t += 1;
      }
      if (t < topic.length && topic.charCodeAt(t) !== SLASH) return false;
    }
    if (t === topic.length) return f === filter.length || filter.slice(f) === '/#';
    if (f === filter.length) return false;
    f += 1;
    t += 1;
  }
}

/** Whether a filter contains a wildcard. */
export function hasWildcard(filter: string): boolean {
  return filter.includes('+') || filter.includes('#');
}

const HASH = 0x23;
const DOLLAR = 0x24;
const PLUS = 0x2b;
const SLASH = 0x2f;
