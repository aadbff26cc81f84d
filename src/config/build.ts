// Lines → configuration: which line belongs to what, and what a line that comes twice means.
import type { Config, ConfigNote } from './config.ts';
import {
  DEFAULT_PORT,
  type Draft,
  finish,
  hasEffect,
  LISTENER_OPTIONS,
  type ListenerDraft,
  loopbackListeners,
  newDraft,
  newListenerDraft,
  SECURITY_OPTIONS,
  sameValue,
} from './draft.ts';
import { type ConfigError, errorAt, placeText } from './errors.ts';
import { Unfit } from './kinds.ts';
import type { ConfigLine } from './parse.ts';

/**
 * Builds the configuration that the lines of a file mean; `notes` receives what is to be logged about them.
 * `ports` are those of the command line, null without any; they count only if the lines set up no listener.
 * Throws ConfigError.
 */
export function buildConfig(
  file: string,
  lines: readonly ConfigLine[],
  ports: readonly number[] | null,
  notes: ConfigNote[],
): Config {
  const builder = new Builder(notes);
  for (const line of lines) builder.take(line);
  return builder.finish(file, ports);
}

class Builder {
  readonly #notes: ConfigNote[];
  readonly #global = newDraft();
  readonly #security = newDraft();
  readonly #listeners: ListenerDraft[] = [];
  readonly #default = newListenerDraft(null);
  /** The listener that options belong to, for each reading of a file: every file starts with the default one. */
  readonly #current = new Map<string, ListenerDraft>();
  #perListener = false;
  #securityLine: ConfigLine | null = null;

  constructor(notes: ConfigNote[]) {
    this.#notes = notes;
  }

  take(line: ConfigLine): void {
    const { option } = line;
    if (!option.supported) refuse(line);
    else {
      this.#tell(line);
      if (option.name === 'listener') this.#openListener(line);
      else if (option.name === 'port') this.#setPort(line);
      else if (option.name === 'bind_address') this.#setAddress(line);
      else if (!option.ignored) this.#setOption(line);
    }
  }

  finish(file: string, ports: readonly number[] | null): Config {
    const listeners = [...this.#listeners];
    if (this.#usesDefaultListener()) {
      if (this.#default.port === 0) this.#default.port = DEFAULT_PORT;
      listeners.push(this.#default);
    }
    const localOnly = listeners.length === 0;
    if (localOnly) listeners.push(...loopbackListeners(ports ?? [DEFAULT_PORT]));
    else if (ports !== null) {
      this.#note('Warning: The option -p is ignored, because the configuration file sets up a listener.');
    }
    return finish({
      file,
      localOnly,
      global: this.#global,
      security: this.#security,
      listeners: this.#perListener
        ? listeners.map((one) => ({ ...one, security: one.security ?? newDraft() }))
        : listeners,
      anonymousByDefault: () => localOnly,
    });
  }

  /** Says what is deprecated, not used or better done otherwise. */
  #tell({ option, name, place }: ConfigLine): void {
    if (option.ignored) this.#note(`Warning: The ${name} option is no longer available, at ${placeText(place)}.`);
    if (option.note !== null) this.#notes.push({ type: 'notice', text: option.note });
    if (option.deprecated === null) return;
    const text = `The '${name}' option is now deprecated and will be removed in version 3.0. ${option.deprecated}`;
    this.#notes.push({ type: 'notice', text: text.trimEnd() });
  }

  #note(text: string): void {
    this.#notes.push({ type: 'warning', text });
  }

  #draftFor(line: ConfigLine): Draft {
    const { scope } = line.option;
    if (scope === 'listener') return this.#listenerFor(line);
    if (scope === 'security') {
      this.#securityLine ??= line;
      if (!this.#perListener) return this.#security;
      const listener = this.#listenerFor(line);
      listener.security ??= newDraft();
      return listener.security;
    }
    return this.#global;
  }

  #setOption(line: ConfigLine): void {
    if (line.option.name === 'per_listener_settings') this.#setPerListener(line);
    setValue(this.#draftFor(line), line);
  }

  #setPerListener(line: ConfigLine): void {
    const wanted = line.option.kind.parse(line.text) === true;
    if (wanted !== this.#perListener && this.#securityLine !== null) {
      throw errorAt(line.place, 'Error: per_listener_settings must be set before any other security settings.');
    }
    this.#perListener = wanted;
  }

  #listenerFor(line: ConfigLine): ListenerDraft {
    return this.#current.get(readingOf(line)) ?? this.#default;
  }

  #openListener(line: ConfigLine): void {
    const [portText = '', ...rest] = (line.text.split(/\s#/)[0] ?? '').trim().split(/\s+/);
    const target = rest.join(' ');
    const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : -1;
    if (port < 0 || port > 65_535) {
      throw errorAt(
        line.place,
        `Error: Invalid port value (${portText}).`,
        'It must be a whole number from 0 to 65535.',
      );
    }
    if (port === 0 && target === '') {
      throw errorAt(line.place, 'Error: A listener with port 0 must provide a Unix socket path.');
    }
    const listener = newListenerDraft(line.place);
    listener.port = port;
    if (port === 0) listener.path = target;
    else listener.host = this.#hostOf(rest, line);
    this.#listeners.push(listener);
    this.#current.set(readingOf(line), listener);
  }

  /** Mosquitto binds the first word and passes over the rest, so an existing file may have one. */
  #hostOf(words: readonly string[], line: ConfigLine): string | null {
    const [host = null] = words;
    if (words.length > 1) {
      this.#note(`Warning: Only '${host}' is used as the address of the listener, at ${placeText(line.place)}.`);
    }
    if (host?.startsWith('/')) {
      throw errorAt(line.place, `Error: Invalid listener address (${host}).`, 'A Unix socket has port 0.');
    }
    return host;
  }

  #setPort(line: ConfigLine): void {
    const port = readValue(line);
    if (this.#default.port !== 0) {
      this.#note('Warning: Default listener port specified multiple times. Only the latest will be used.');
    }
    this.#default.port = Number(port);
    this.#default.places.set(line.option.key, line.place);
  }

  #setAddress(line: ConfigLine): void {
    if (this.#default.host !== null) {
      throw errorAt(line.place, 'Error: Duplicate default listener bind_address value in configuration.');
    }
    this.#default.host = String(readValue(line));
    this.#default.places.set(line.option.key, line.place);
  }

  #usesDefaultListener(): boolean {
    const { port, host, security } = this.#default;
    if (port !== 0 || host !== null || hasEffect(this.#default, LISTENER_OPTIONS)) return true;
    return security !== null && hasEffect(security, SECURITY_OPTIONS);
  }
}

/** Names one reading of one file; a file may be read again by another include_dir line. */
function readingOf({ place }: ConfigLine): string {
  return `${place.from?.line ?? 0}:${place.file}`;
}

/** An option that is known and not served is an error, unless it asks for what happens anyway. */
function refuse(line: ConfigLine): void {
  const { option, name, text, place } = line;
  const value = option.kind.parse(text);
  if (option.default !== null && !(value instanceof Unfit) && sameValue(option, value, option.default)) return;
  throw errorAt(place, `Error: The '${name}' option is not supported by mqtt-broker.`, option.refusal ?? '');
}

function readValue(line: ConfigLine): unknown {
  const value = line.option.kind.parse(line.text);
  if (value instanceof Unfit) throw unfit(line, value);
  return value;
}

function unfit({ name, text, place }: ConfigLine, { error, hint }: Unfit): ConfigError {
  const sentence = error?.(name) ?? `Error: Invalid ${name} value (${text}).`;
  return hint === null ? errorAt(place, sentence) : errorAt(place, sentence, hint);
}

function setValue(draft: Draft, line: ConfigLine): void {
  const { kind, key } = line.option;
  const value = readValue(line);
  const earlier = draft.values.get(key);
  if (earlier !== undefined && kind.repeat === 'error') {
    throw errorAt(line.place, `Error: Duplicate '${line.name}' value in configuration.`);
  }
  const joined = earlier !== undefined && kind.add !== undefined ? kind.add(earlier, value) : value;
  const fault = kind.fault(joined);
  if (fault !== null) throw unfit(line, fault);
  draft.values.set(key, joined);
  draft.places.set(key, line.place);
  if (kind.repeat === 'add') for (const text of kind.print(value)) draft.places.set(`${key} ${text}`, line.place);
}
