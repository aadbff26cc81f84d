import { isIPv6 } from 'node:net';

/** A host with its port: brackets keep the colons of IPv6 apart from that of the port (RFC 3986 section 3.2.2). */
export const addressText = (host: string, port: number): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
