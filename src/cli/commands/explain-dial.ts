// Why a connection did not come about, in lines for people: which addresses were tried, what came of each, and what the
// usual cause is.
import { lstatSync } from 'node:fs';
import type { Endpoint } from '../../client/options.ts';
import { type DialAttempt, dialFacts } from '../../net/dial-facts.ts';
import { addressText } from '../../util/address-text.ts';
import { printable } from '../../util/printable.ts';
import { systemErrorText } from '../../util/system-error.ts';

/** An address with its port, harmless on a terminal. */
export const placeText = (host: string, port: number): string => addressText(printable(host), port);

/** Where the endpoint is: 'localhost:1883', or the path of a socket. */
export function endpointText({ kind, host, port, srv }: Endpoint): string {
  if (kind === 'unix') return `the socket ${printable(host)}`;
  return srv === undefined ? placeText(host, port) : `the brokers of ${printable(host)}`;
}

/** The addresses that an error knows were tried, each one once. */
function triedBefore(error: Error): DialAttempt[] {
  const tried = new Map<string, DialAttempt>();
  for (const attempt of dialFacts(error)?.attempts ?? []) tried.set(placeText(attempt.address, attempt.port), attempt);
  return [...tried.values()];
}

/** The address that was connected to, for an error of a later stage; else the endpoint's name, with the proxy in front of it. */
export function peerText(error: Error, endpoint: Endpoint): string {
  const { proxy } = endpoint;
  if (proxy !== undefined)
    return `${endpointText(endpoint)} behind the SOCKS proxy ${placeText(proxy.host, proxy.port)}`;
  const last = triedBefore(error).at(-1);
  return last === undefined || endpoint.kind === 'unix' ? endpointText(endpoint) : placeText(last.address, last.port);
}

/** What came of an address. */
const outcome = ({ code }: DialAttempt): string =>
  code === null || code === 'ETIMEDOUT' ? 'no answer' : systemErrorText({ code });

/** The endpoint with the addresses that its name stands for, where these say more than the name. */
function withAddresses(endpoint: Endpoint, tried: readonly DialAttempt[]): string {
  const places = tried.map(({ address, port }) => placeText(address, port));
  const name = endpointText(endpoint);
  return places.length === 0 || (places.length === 1 && places[0] === name)
    ? name
    : `${name} (tried ${places.join(' and ')})`;
}

/** Usual causes, by the system's code. `where` is the endpoint, `host` its name alone. */
const CAUSES: Readonly<Record<string, (where: string, host: string) => string>> = {
  ECONNREFUSED: (where) =>
    `Nothing accepts connections at ${where}: the broker does not run, or uses another port (-p).`,
  EHOSTUNREACH: (where) =>
    `No way leads to ${where}: the host is off, or not on the network that its address belongs to.`,
  ENETUNREACH: (where) => `This machine has no route to ${where}: it may be offline, or have no IPv6.`,
  EADDRNOTAVAIL: (where) => `No address of this machine can be used for ${where}: see -A.`,
  EACCES: (where) => `This machine does not let the tool connect to ${where}: see its firewall.`,
  EPERM: (where) => `This machine does not let the tool connect to ${where}: see its firewall.`,
  ECONNRESET: (where) => `${where} broke the connection off while it was made.`,
  ENOTFOUND: (_, host) => `There is no host "${host}": check the name (-h).`,
  EAI_AGAIN: (_, host) => `No name server answered for "${host}": check the name (-h) and the network.`,
};

/**
 * What to say about a dial that failed before there was a connection; empty for an error that speaks for itself.
 * @param seconds the time that connecting was given, null where the error is no matter of time
 */
export function explainDial(error: Error, endpoint: Endpoint, seconds: number | null): string[] {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (endpoint.kind === 'unix') return explainSocket(code, endpoint.host);
  const tried = triedBefore(error);
  const outcomes = tried.map(outcome);
  if (new Set(outcomes).size > 1) {
    const lines = tried.map(({ address, port }, i) => `  ${placeText(address, port)}: ${outcomes[i]}`);
    return [`${endpointText(endpoint)} has several addresses, and none of them worked:`, ...lines];
  }
  const where = withAddresses(endpoint, tried);
  if (seconds !== null || code === 'ETIMEDOUT') {
    const time = seconds === null ? '' : ` within ${seconds} seconds`;
    return [`No answer at all from ${where}${time}: the host is off, or a firewall drops what is sent to this port.`];
  }
  const cause = CAUSES[code]?.(where, printable(endpoint.host));
  return cause === undefined ? [] : [cause];
}

/** A Unix socket: what there is at its path says why nobody answers. */
function explainSocket(code: string, path: string): string[] {
  const name = printable(path);
  if (code === 'ENOENT') return [`There is no socket ${name}: the broker does not run, or listens elsewhere.`];
  if (code === 'EACCES' || code === 'EPERM') return [`This user may not write to the socket ${name}, or not reach it.`];
  try {
    const facts = lstatSync(path);
    if (facts.isDirectory()) return [`${name} is a directory, not a socket.`];
    if (facts.isFile()) return [`${name} is a file, not a socket.`];
    if (facts.isSocket() && code === 'ECONNREFUSED') {
      return [`Nobody listens on the socket ${name}: it is left over from a broker that has ended.`];
    }
  } catch {
    // The system's own words have to do.
  }
  return [];
}
