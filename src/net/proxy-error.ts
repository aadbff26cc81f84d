// What goes wrong at a SOCKS proxy, told apart from what goes wrong at the broker.

/**
 * What failed: the way to the proxy, its terms (no login that it takes), the login, its rules, the way from it to the
 * broker, or the talk with it.
 */
export type ProxyFault = 'unreachable' | 'method' | 'login' | 'rules' | 'target' | 'protocol';

/** No connection came about through the proxy. The message is a sentence that names the proxy and what it was asked for. */
export class ProxyError extends Error {
  readonly fault: ProxyFault;

  constructor(fault: ProxyFault, message: string, cause: Error | null = null) {
    super(message, cause === null ? {} : { cause });
    this.name = 'ProxyError';
    this.fault = fault;
  }
}
