// The URL of -L: mqtt://[user[:password]@]host[:port]/topic. It is taken apart by hand because a topic may hold '#' and '?',
// which mean something else to a general URL parser.
import { type Kind, oneWord } from './kinds.ts';
import { UsageError } from './messages.ts';

/** The parts of a broker's URL; null where a part is not there. */
export interface BrokerUrl {
  readonly tls: boolean;
  readonly ws: boolean;
  readonly host: string;
  readonly port: number | null;
  readonly username: string | null;
  readonly password: string | null;
  /** Empty where the URL ends with the slash in front of it. */
  readonly topic: string;
}

const SCHEMES: Readonly<Record<string, { readonly tls: boolean; readonly ws: boolean }>> = {
  mqtt: { tls: false, ws: false },
  mqtts: { tls: true, ws: false },
  ws: { tls: false, ws: true },
  wss: { tls: true, ws: true },
};

/** The kind of -L. */
export const BROKER_URL: Kind<BrokerUrl> = oneWord(parseBrokerUrl);

/** Takes a broker's URL apart; throws UsageError. Escapes such as %2F are decoded, so that any name and password fits in. */
export function parseBrokerUrl(url: string): BrokerUrl {
  const [, name = '', rest] = /^([a-z]+):\/\/(.*)$/is.exec(url) ?? [];
  const scheme = new Map(Object.entries(SCHEMES)).get(name.toLowerCase());
  if (scheme === undefined || rest === undefined) throw new UsageError('unsupported URL scheme.');
  const slash = rest.indexOf('/');
  // An empty topic is one where another option gives it, which is not to be seen from here.
  if (slash === -1) {
    throw new UsageError('Invalid URL for -L argument specified - topic missing.');
  }
  const authority = rest.slice(0, slash);
  const at = authority.lastIndexOf('@');
  const login = at === -1 ? null : authority.slice(0, at);
  const colon = login?.indexOf(':') ?? -1;
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(authority.slice(at + 1)) ?? [];
  const host = bracketed ?? plain;
  if (host === '') throw new UsageError('Invalid URL for -L argument specified - host missing.');
  return {
    ...scheme,
    host,
    port: port === undefined || port === '' ? null : parsePort(port, at === -1 && rest.includes('@')),
    username: decodeEscapes((colon === -1 ? login : login?.slice(0, colon)) ?? '') || null,
    password: login === null || colon === -1 ? null : decodeEscapes(login.slice(colon + 1)),
    topic: decodeEscapes(rest.slice(slash + 1)),
  };
}

/** What stands in the place of the port may be half of a password with a slash; then no sentence repeats it. */
function parsePort(text: string, mayBeSecret: boolean): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port === 0 && mayBeSecret) {
    throw new UsageError('Invalid port given.\nIn a user name or password, / is written %2F and @ is written %40.');
  }
  // Where the @ is missing, this is a password.
  if (port === 0 && /\D/.test(text)) {
    throw new UsageError(
      'Invalid port given.\nA user name and a password stand in front of the host: USER:PASSWORD@HOST.',
    );
  }
  if (port < 1 || port > 65_535) throw new UsageError(`Invalid port given: ${text}`);
  return port;
}

/** Decodes percent escapes; text with a stray '%' stays as it is. */
export function decodeEscapes(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
