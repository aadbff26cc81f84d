// What went wrong on a way to the broker that is not a plain connection: at a SOCKS proxy, or in DNS. Mosquitto's sentences
// and codes, then ours, which says what happened where.

import { LookupError } from '../../net/lookup-error.ts';
import { ProxyError, type ProxyFault } from '../../net/proxy-error.ts';
import { EXIT_AUTHORISATION, EXIT_NO_CONNECTION, EXIT_PROXY } from '../exit-status.ts';
import { EXIT_ERROR } from '../messages.ts';
import type { Failure } from './failure.ts';

const NOT_CONNECTED = { sentence: 'Error: The client is not currently connected.', code: EXIT_NO_CONNECTION };
const NOT_AUTHORISED = { sentence: 'Error: Authorisation failed.', code: EXIT_AUTHORISATION };
const REFUSED = { sentence: 'Error: Proxy error.', code: EXIT_PROXY };

const PROXY_FAILURES: Readonly<Record<ProxyFault, { readonly sentence: string; readonly code: number } | null>> = {
  unreachable: null,
  method: NOT_AUTHORISED,
  login: REFUSED,
  rules: NOT_AUTHORISED,
  target: NOT_CONNECTED,
  protocol: REFUSED,
};

/** The failure on such a way; null for another error. @param explain tells the failure behind it */
export function wayFailure(error: unknown, explain: (cause: unknown) => Failure): Failure | null {
  if (error instanceof LookupError) {
    if (!error.tried)
      return { sentences: ['Unable to connect (Lookup error).'], details: [error.message], code: EXIT_ERROR };
    const { sentences, details, code } = explain(error.cause);
    return { sentences, details: [...details, error.message], code };
  }
  if (!(error instanceof ProxyError)) return null;
  const known = PROXY_FAILURES[error.fault];
  if (known === null) return { sentences: explain(error.cause).sentences, details: [error.message], code: EXIT_ERROR };
  return { sentences: [known.sentence], details: [error.message], code: known.code };
}
