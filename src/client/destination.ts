// Where the next attempt to connect goes: to the endpoint of the options, or to the server that the last one named
// (MQTT 5.0 section 4.11).
import type { Dialer } from '../net/transport.ts';
import { SERVER_MOVED, USE_ANOTHER_SERVER } from '../protocol/reasons.ts';
import { ConnectionLost, ConnectRefused } from './errors.ts';
import type { Settings } from './settings.ts';

type Place = Settings['endpoint'];

/** Servers that may send us on, one to the next, before an attempt has failed. */
const MOST_HOPS = 3;

/** A host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. */
const REFERENCE = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/;

/** The endpoint that a server reference names, like ours in all else; null for one that cannot be understood. */
function referredEndpoint(endpoint: Place, reference: string): Place | null {
  const found = REFERENCE.exec(reference.trim().split(' ')[0] ?? '');
  const host = found?.[1] ?? found?.[2];
  const port = found?.[3] === undefined ? endpoint.port : Number(found[3]);
  if (host === undefined || port < 1 || port > 65_535 || endpoint.kind === 'unix') return null;
  const { srv: _, ...others } = endpoint;
  return { ...others, host, port };
}

/** The dialer of the next attempt. */
export class Destination {
  dialer: Dialer;
  private home: Dialer;
  private readonly endpoint: Place;
  private readonly dialerTo: ((endpoint: Place) => Dialer) | null;
  private hops: number;

  /** @param dialerTo makes dialers for servers that are named; null follows no reference */
  constructor(endpoint: Place, home: Dialer, dialerTo: ((endpoint: Place) => Dialer) | null) {
    this.dialer = home;
    this.home = home;
    this.endpoint = endpoint;
    this.dialerTo = dialerTo;
    this.hops = 0;
  }

  /** Whether the error names a server to go to next. A server that moved stays there, another one is for a while only. */
  follow(error: unknown): boolean {
    if (this.dialerTo === null || this.hops === MOST_HOPS) return false;
    if (!(error instanceof ConnectRefused || error instanceof ConnectionLost)) return false;
    const { reason, properties } = error;
    if (reason !== USE_ANOTHER_SERVER && reason !== SERVER_MOVED) return false;
    const endpoint = referredEndpoint(this.endpoint, properties.serverReference ?? '');
    if (endpoint === null) return false;
    this.hops += 1;
    this.dialer = this.dialerTo(endpoint);
    if (reason === SERVER_MOVED) this.home = this.dialer;
    return true;
  }

  /** An attempt has succeeded: the next one that sends us on is the first. */
  arrived(): void {
    this.hops = 0;
  }

  /** An attempt has failed: the next one starts over. */
  goHome(): void {
    this.hops = 0;
    this.dialer = this.home;
  }
}
