// Rights on topics in a file: rules for clients without a name, rules for users, and patterns for everybody. A user's own
// rules are asked first and patterns where those say nothing; where nothing matches, the answer is no. Rules are about
// publishing and being delivered to: subscribing is allowed, and each delivery checked.
import type { Logger } from '../../log/logger.ts';
import { topicFilterFault } from '../../protocol/topic.ts';
import { trimBlanks } from '../../util/blanks.ts';
import {
  type Access,
  ALLOW,
  type ClientContext,
  DEFER,
  DENY,
  type Decision,
  type Plugin,
  READ,
  WRITE,
} from '../hooks/points.ts';
import { ACCESS_WORDS, type AclRule, fillPattern, hasPlaceholder, isDangerous, RuleSet } from './acl-rules.ts';
import { readTextFile } from './text-file.ts';

/** What an ACL file says. */
interface Acl {
  /** Rules by user name; null for clients without one. */
  readonly users: ReadonlyMap<string | null, RuleSet>;
  readonly patterns: readonly AclRule[];
}

/**
 * Takes the lines of an ACL file apart. Throws a sentence that names file and line for anything that is not a rule; `warn` is
 * told of patterns that hold no placeholder.
 */
export function parseAcl(lines: readonly string[], path: string, warn: (text: string) => void): Acl {
  const rules = new Map<string | null, AclRule[]>();
  const patterns: AclRule[] = [];
  let user: string | null = null;
  for (const [index, raw] of lines.entries()) {
    const line = raw.startsWith('#') ? '' : trimBlanks(raw);
    if (line === '') continue;
    const place = `acl_file "${path}", line ${index + 1}`;
    const [keyword, rest] = splitWord(line);
    if (keyword === 'user') {
      if (rest === '') throw new Error(`Error: Missing username in ${place}.`);
      user = rest;
    } else if (keyword === 'topic') {
      const own = rules.get(user);
      if (own === undefined) rules.set(user, [parseRule(rest, place)]);
      else own.push(parseRule(rest, place));
    } else if (keyword === 'pattern') {
      const rule = parseRule(rest, place);
      if (!hasPlaceholder(rule.filter)) {
        warn(`Warning: ACL pattern '${rule.filter}' does not contain '%c' or '%u' as a whole level (${place}).`);
      }
      patterns.push(rule);
    } else {
      throw new Error(`Error: Invalid line in ${place}: ${JSON.stringify(line)} is no user, topic or pattern line.`);
    }
  }
  return { users: new Map([...rules].map(([name, own]) => [name, new RuleSet(own)])), patterns };
}

/** Reads an ACL file; like parseAcl, and throws a sentence for a file that can't be read. */
export function readAclFile(path: string, warn: (text: string) => void): Acl {
  return parseAcl(readTextFile(path, 'acl_file').lines, path, warn);
}

/** `[access] filter`; a single word is a filter, even where it looks like an access word. */
function parseRule(text: string, place: string): AclRule {
  const [first, rest] = splitWord(text);
  if (first === '') throw new Error(`Error: Empty topic in ${place}.`);
  const [word, filter] = rest === '' ? ['readwrite', first] : [first, rest];
  const grants = ACCESS_WORDS.get(word);
  if (grants === undefined) {
    const known = [...ACCESS_WORDS.keys()].join(', ');
    throw new Error(`Error: Invalid topic access type ${JSON.stringify(word)} in ${place}: use one of ${known}.`);
  }
  const fault = topicFilterFault(filter);
  if (fault !== null) throw new Error(`Error: Invalid ACL topic ${JSON.stringify(filter)} in ${place}: ${fault}.`);
  return { filter, grants };
}

/** The first word, and what follows it without the blanks around. */
function splitWord(text: string): [word: string, rest: string] {
  const end = text.indexOf(' ');
  return end === -1 ? [text, ''] : [text.slice(0, end), trimBlanks(text.slice(end))];
}

const NO_RULES = new RuleSet([]);

/** The rules as they are for one client. */
interface ClientRules {
  readonly own: RuleSet;
  readonly patterns: RuleSet;
  /** Patterns exist, but filling them in with this client's names could widen them. */
  readonly dangerous: boolean;
}

/** The plugin of one ACL file. */
class AclFile implements Plugin {
  readonly name = 'acl-file';
  readonly #path: string;
  readonly #log: Logger;
  #acl: Acl = { users: new Map(), patterns: [] };
  /** Filled in when a client is first asked about; forgotten with the client, and by a reload. */
  #byClient = new WeakMap<ClientContext, ClientRules>();

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.reload()();
  }

  authorize(client: ClientContext, access: Access, topic: string): Decision {
    if (access !== READ && access !== WRITE) return ALLOW;
    let rules = this.#byClient.get(client);
    if (rules === undefined) {
      rules = this.#rulesFor(client);
      this.#byClient.set(client, rules);
    }
    const own = rules.own.decide(access, topic);
    if (own !== DEFER) return own;
    return !rules.dangerous && rules.patterns.decide(access, topic) === ALLOW ? ALLOW : DENY;
  }

  reload(): () => void {
    const acl = readAclFile(this.#path, (text) => this.#log.warning?.(text));
    return () => {
      this.#acl = acl;
      this.#byClient = new WeakMap();
    };
  }

  #rulesFor(client: ClientContext): ClientRules {
    const { users, patterns } = this.#acl;
    const username = client.username === '' ? null : client.username;
    const own = users.get(username) ?? NO_RULES;
    if (patterns.length === 0) return { own, patterns: NO_RULES, dangerous: false };
    const [what, name] =
      username !== null && isDangerous(username) ? ['username', username] : ['client id', client.clientId];
    if (isDangerous(name)) {
      this.#log.notice?.(`ACL denying access to client with dangerous ${what} ${JSON.stringify(name)}`);
      return { own, patterns: NO_RULES, dangerous: true };
    }
    const filled: AclRule[] = [];
    for (const pattern of patterns) {
      const rule = fillPattern(pattern, client.clientId, username);
      if (rule !== null) filled.push(rule);
    }
    return { own, patterns: new RuleSet(filled), dangerous: false };
  }
}

/**
 * A plugin that decides by an ACL file who may publish to and be delivered from which topic. Throws a sentence that names
 * file and line when the file is bad; `reload` does too, and keeps the old state.
 */
export function aclFilePlugin(path: string, options: { log: Logger }): Plugin {
  return new AclFile(path, options.log);
}
