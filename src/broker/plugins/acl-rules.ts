// Rules about topics, sorted for quick answers: denials before grants, and filters without wildcards by look-up.
import { hasWildcard, topicMatches } from '../../protocol/topic.ts';
import { type Access, ALLOW, DEFER, DENY, type Decision, READ, WRITE } from '../hooks/points.ts';

/** The access words of an ACL file, as the kinds of access they grant; `deny` grants none. */
export const ACCESS_WORDS: ReadonlyMap<string, number> = new Map([
  ['read', READ],
  ['write', WRITE],
  ['readwrite', READ | WRITE],
  ['deny', 0],
]);

/** One rule: a filter and the kinds of access it grants, 0 where it denies all. */
export interface AclRule {
  readonly filter: string;
  readonly grants: number;
}

/** Rules that are asked together; their order in the file does not matter. */
export class RuleSet {
  readonly #denied = new Set<string>();
  readonly #deniedFilters: string[] = [];
  /** Kinds of access by topic name. */
  readonly #granted = new Map<string, number>();
  readonly #grantedFilters: AclRule[] = [];

  constructor(rules: readonly AclRule[]) {
    for (const rule of rules) this.#add(rule);
  }

  /** DENY where a denial matches, else ALLOW where a grant of this access does, else DEFER. */
  decide(access: Access, topic: string): Decision {
    if (this.#denied.has(topic)) return DENY;
    for (const filter of this.#deniedFilters) if (topicMatches(filter, topic)) return DENY;
    if (((this.#granted.get(topic) ?? 0) & access) !== 0) return ALLOW;
    for (const { filter, grants } of this.#grantedFilters) {
      if ((grants & access) !== 0 && topicMatches(filter, topic)) return ALLOW;
    }
    return DEFER;
  }

  #add(rule: AclRule): void {
    const { filter, grants } = rule;
    if (hasWildcard(filter)) {
      if (grants === 0) this.#deniedFilters.push(filter);
      else this.#grantedFilters.push(rule);
    } else if (grants === 0) {
      this.#denied.add(filter);
    } else {
      this.#granted.set(filter, (this.#granted.get(filter) ?? 0) | grants);
    }
  }
}

/** What a client must not have in its user name or id where patterns are filled in with them (CVE-2017-7650). */
export const isDangerous = (name: string): boolean => hasWildcard(name);

/** Whether a level of the pattern stands for the user name or the client id. */
export function hasPlaceholder(pattern: string): boolean {
  return pattern.split('/').some((level) => level === '%u' || level === '%c');
}

/**
 * The rule that a pattern becomes for one client: the levels `%u` and `%c` replaced by user name and client id, which may
 * themselves hold several levels. Null where it says nothing about this client: a pattern with `%u` where there is no name,
 * and a grant without `$` in front that a name such as `$SYS` would turn into one for `$` topics.
 */
export function fillPattern(pattern: AclRule, clientId: string, username: string | null): AclRule | null {
  const levels = pattern.filter.split('/');
  if (username === null && levels.includes('%u')) return null;
  const filter = levels.map((level) => (level === '%u' ? username : level === '%c' ? clientId : level)).join('/');
  const widened = filter.startsWith('$') && !pattern.filter.startsWith('$');
  return widened && pattern.grants !== 0 ? null : { filter, grants: pattern.grants };
}
