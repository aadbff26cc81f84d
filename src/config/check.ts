// Rules that join several options; each is a small function with its message.
import type { Config, ConfigNote, ListenerConfig } from './config.ts';
import { type ConfigError, errorAt, type Place, placeText } from './errors.ts';

/** Longest path of a Unix socket on Linux, in bytes. */
const LONGEST_SOCKET_PATH = 107;

/** Judges a listener: throws ConfigError, or adds to the notes. */
type ListenerRule = (listener: ListenerConfig, notes: ConfigNote[]) => void;

const LISTENER_RULES: readonly ListenerRule[] = [
  certificateAndKey,
  authorityNeedsCertificate,
  clientCertificates,
  certificateNames,
  socketPath,
];

/** Applies every rule. Throws ConfigError for the first one that is broken; `notes` receives warnings. */
export function checkConfig(config: Config, notes: ConfigNote[]): void {
  for (const listener of config.listeners) {
    for (const rule of LISTENER_RULES) rule(listener, notes);
  }
  differentListeners(config.listeners);
  autosaveIsNotNeeded(config, notes);
  intervalNeedsItsMode(config, notes);
}

/** True for a listener that speaks TLS. */
export function usesTls(listener: ListenerConfig): boolean {
  return listener.certfile !== null && listener.keyfile !== null;
}

/** The name of a listener in messages. */
function listenerName({ port, host, path }: ListenerConfig): string {
  if (path !== null) return path;
  return host === null ? `port ${port}` : `port ${port} of ${host}`;
}

/** Place of the first of some options that was set, else of the listener. */
function placeOf(listener: ListenerConfig, ...keys: (keyof ListenerConfig)[]): Place | null {
  for (const key of keys) {
    const place = listener.places.get(key);
    if (place !== undefined) return place;
  }
  return listener.place;
}

function broken(listener: ListenerConfig, keys: (keyof ListenerConfig)[], ...sentences: string[]): ConfigError {
  return errorAt(placeOf(listener, ...keys), ...sentences);
}

function certificateAndKey(listener: ListenerConfig): void {
  if ((listener.certfile === null) === (listener.keyfile === null)) return;
  const sentence = 'Error: Both certfile and keyfile must be provided to enable a TLS listener.';
  throw broken(listener, ['certfile', 'keyfile'], sentence);
}

function authorityNeedsCertificate(listener: ListenerConfig): void {
  if (usesTls(listener)) return;
  const key = (['cafile', 'capath', 'crlfile'] as const).find((name) => listener[name] !== null);
  if (key === undefined) return;
  throw broken(listener, [key], `Error: ${key} specified without certfile and keyfile.`);
}

/** Without CAs of one's own, Node would trust every public CA to name clients. */
function clientCertificates(listener: ListenerConfig): void {
  if (!listener.requireCertificate) return;
  if (!usesTls(listener)) {
    throw broken(
      listener,
      ['requireCertificate'],
      'Error: require_certificate specified without certfile and keyfile.',
    );
  }
  if (listener.cafile !== null || listener.capath !== null) return;
  const hint = 'They name the CAs whose client certificates are good.';
  throw broken(
    listener,
    ['requireCertificate'],
    'Error: require_certificate specified without cafile or capath.',
    hint,
  );
}

function certificateNames(listener: ListenerConfig, notes: ConfigNote[]): void {
  if (listener.requireCertificate) return;
  const names = [
    listener.useIdentityAsUsername ? 'use_identity_as_username' : null,
    listener.useSubjectAsUsername ? 'use_subject_as_username' : null,
  ];
  for (const name of names) {
    if (name === null) continue;
    const text = `Warning: ${name} on ${listenerName(listener)} has no certificates to look at without require_certificate.`;
    notes.push({ type: 'warning', text });
  }
}

function socketPath(listener: ListenerConfig): void {
  if (listener.path === null || Buffer.byteLength(listener.path) <= LONGEST_SOCKET_PATH) return;
  const hint = `It may have ${LONGEST_SOCKET_PATH} bytes.`;
  throw broken(listener, [], `Error: The path of the Unix socket is too long (${listener.path}).`, hint);
}

function differentListeners(listeners: readonly ListenerConfig[]): void {
  const seen = new Set<string>();
  for (const listener of listeners) {
    if (listener.port === 0 && listener.path === null) continue;
    const key = `${listenerKey(listener)} ${listener.socketDomain}`;
    if (seen.has(key)) {
      throw broken(listener, ['port'], `Error: There is more than one listener on ${listenerName(listener)}.`);
    }
    seen.add(key);
  }
}

/** The same for two listeners that bind the same address. */
export function listenerKey({ port, host, path }: ListenerConfig): string {
  return path === null ? `${port} ${host ?? '*'}` : `unix ${path}`;
}

/** Who asked Mosquitto to save more often than every half hour was worried: they are told that they need not be. */
function autosaveIsNotNeeded({ global, places }: Config, notes: ConfigNote[]): void {
  if (!global.persistence) return;
  const lines = [
    { name: 'autosave_interval', place: places.get('autosaveInterval') },
    { name: 'autosave_on_changes', place: places.get('autosaveOnChanges') },
  ].flatMap(({ name, place }) => (place === undefined ? [] : [`${name} at ${placeText(place)}`]));
  if (lines.length === 0) return;
  const why =
    global.persistenceSync === 'always'
      ? 'every message that was acknowledged is on disk already'
      : `the store is written all the time, and persistence_sync ${global.persistenceSync} says when it reaches the disk`;
  const text = `${lines.join(' and ')} ${lines.length === 1 ? 'is' : 'are'} no longer needed: ${why}.`;
  notes.push({ type: 'notice', text });
}

function intervalNeedsItsMode({ global, places }: Config, notes: ConfigNote[]): void {
  const place = places.get('persistenceSyncInterval');
  if (place === undefined || global.persistenceSync === 'interval') return;
  const text = `Warning: persistence_sync_interval does nothing without 'persistence_sync interval', at ${placeText(place)}.`;
  notes.push({ type: 'warning', text });
}
