// The URL of --proxy: socks5h://[user[:password]@]host[:port], with Mosquitto's sentences. socks5:// is curl's name for a
// proxy that gets addresses, as names are looked up here.
import type { Endpoint } from '../client/options.ts';
import { type Kind, oneWord } from './kinds.ts';
import { UsageError } from './messages.ts';
import { decodeEscapes } from './url.ts';

type Proxy = NonNullable<Endpoint['proxy']>;

const DEFAULT_PORT = 1080;

/** Most bytes of a user name or a password (RFC 1929 section 2). */
const LONGEST_CREDENTIAL = 255;

/** The kind of --proxy. */
export const PROXY_URL: Kind<Proxy> = oneWord(parseProxyUrl);

/** Takes the URL apart; throws UsageError. No sentence repeats a password. */
function parseProxyUrl(url: string): Proxy {
  const [, scheme = '', rest = ''] = /^(socks5h?):\/\/(.*?)\/?$/is.exec(url) ?? [];
  if (scheme === '') throw new UsageError(`Unsupported proxy protocol: ${withoutLogin(url)}`);
  const at = rest.lastIndexOf('@');
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(rest.slice(at + 1)) ?? [];
  const host = bracketed ?? plain;
  if (host === '') throw new UsageError('Invalid proxy.');
  return {
    host,
    port: port === undefined ? DEFAULT_PORT : parsePort(port),
    ...login(at === -1 ? null : rest.slice(0, at)),
    ...(scheme.toLowerCase() === 'socks5' ? { resolvesHere: true } : {}),
  };
}

function login(text: string | null): Pick<Proxy, 'username' | 'password'> {
  if (text === null || text === '') return {};
  const colon = text.indexOf(':');
  const username = decodeEscapes(colon === -1 ? text : text.slice(0, colon));
  const password = colon === -1 ? null : decodeEscapes(text.slice(colon + 1));
  if (username === '') throw new UsageError('Invalid proxy.\nA password needs a user name.');
  for (const part of [username, password ?? '']) {
    if (Buffer.byteLength(part) <= LONGEST_CREDENTIAL) continue;
    throw new UsageError(`Invalid proxy.\nIts user name and password have at most ${LONGEST_CREDENTIAL} bytes each.`);
  }
  return { username, ...(password === null ? {} : { password }) };
}

function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  // Where the @ is missing, this is a password.
  if (port === 0 && /\D/.test(text)) {
    throw new UsageError(
      'Invalid proxy port.\nA user name and a password stand in front of the host: USER:PASSWORD@HOST.',
    );
  }
  if (port < 1 || port > 65_535) throw new UsageError(`Invalid proxy port ${text}`);
  return port;
}

/** A word without what may be a password in it: all in front of the last @, and what stands where a port should. */
function withoutLogin(url: string): string {
  return url.replace(/^([^/@]*:\/\/)?.*@/s, '$1').replace(/:(?!\/\/|\d+(?:\/|$)).*/s, ':***');
}
