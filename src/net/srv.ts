// Brokers that DNS names (SRV records, RFC 2782): looked up for each connection, and tried one after the other.
import dns, { type SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { addressText } from '../util/address-text.ts';
import { systemErrorText } from '../util/system-error.ts';
import { LookupError } from './lookup-error.ts';
import type { DialSpec } from './specs.ts';
import type { Dialer, Transport } from './transport.ts';

/** Milliseconds for an answer of a name server, and how often it is asked. */
const ANSWER_MS = 3_000;
const TRIES = 2;

/** Milliseconds for a broker while there is another one to try. */
const PATIENCE_MS = 5_000;

/** Brokers that a sentence names. */
const MOST_NAMED = 8;

/** What name servers say where there is no such name, or no such record of it. */
const NOTHING: readonly string[] = ['ENOTFOUND', 'ENODATA'];

/** The name to look up: that of the service `mqtt`, or `secure-mqtt` with TLS. */
const serviceName = ({ kind, host }: DialSpec): string =>
  `_${kind === 'tls' || kind === 'wss' ? 'secure-mqtt' : 'mqtt'}._tcp.${host.replace(/\.$/, '')}`;

/**
 * A dialer for the brokers that the SRV records of `spec.host` name. Rejects with LookupError, or with the signal's reason.
 * @param dialerTo makes the dialer of each
 * @param patienceMs milliseconds for each but the last, which has what time the caller has left
 */
export function srvDialer(
  spec: DialSpec,
  dialerTo: (spec: DialSpec) => Dialer,
  patienceMs: number = PATIENCE_MS,
): Dialer {
  return {
    async dial(signal) {
      const name = serviceName(spec);
      const records = await lookUp(name, spec.srv?.resolve ?? ((service) => resolveSrv(service, signal)), signal);
      const targets = inOrder(records).map((record) => targetOf(spec, record));
      const dial = (target: DialSpec, isLast: boolean): Promise<Transport> =>
        dialWithin(dialerTo(target), isLast ? null : patienceMs, signal);
      return dialFirst(name, targets, dial, signal);
    },
  };
}

/** Asks the name servers that the process uses. */
async function resolveSrv(name: string, signal: AbortSignal): Promise<SrvRecord[]> {
  const resolver = new Resolver({ timeout: ANSWER_MS, tries: TRIES });
  // Asked by way of the module: setServers() puts a new function there.
  resolver.setServers(dns.getServers());
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await resolver.resolveSrv(name);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function lookUp(
  name: string,
  resolve: (name: string) => Promise<readonly SrvRecord[]>,
  signal: AbortSignal,
): Promise<readonly SrvRecord[]> {
  let records: readonly SrvRecord[];
  try {
    records = await resolve(name);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof Error)) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!NOTHING.includes(code))
      throw new LookupError(`The name server did not answer for ${name}: ${code}.`, false, error);
    records = [];
  }
  if (records.length === 0) throw new LookupError(`There are no SRV records of ${name}.`, false, null);
  // A single record with the root as its target says that there is no such service.
  const usable = records.filter((record) => record.name !== '' && record.name !== '.');
  if (usable.length === 0)
    throw new LookupError(`The SRV record of ${name} says that there is no broker.`, false, null);
  return usable;
}

/**
 * Records in the order in which they are to be tried: lower priorities first, and among equals at random, those of more
 * weight more often in front (RFC 2782, "Weight").
 * @param random numbers from 0 to less than 1
 */
export function inOrder(records: readonly SrvRecord[], random: () => number = Math.random): SrvRecord[] {
  const order: SrvRecord[] = [];
  for (const priority of [...new Set(records.map((record) => record.priority))].sort((a, b) => a - b)) {
    // Those without weight come first, so that they have a chance at all.
    const left = records.filter((record) => record.priority === priority).sort((a, b) => a.weight - b.weight);
    while (left.length > 0) {
      const sum = left.reduce((total, record) => total + record.weight, 0);
      const mark = Math.floor(random() * (sum + 1));
      let running = 0;
      const chosen = left.findIndex((record) => {
        running += record.weight;
        return running >= mark;
      });
      order.push(...left.splice(Math.max(chosen, 0), 1));
    }
  }
  return order;
}

/**
 * The place that a record names. Whoever forges an answer of DNS could name a host of his own with a certificate of its own:
 * a target outside of the domain that was asked for has to have that domain's certificate (RFC 6125 section 1.8).
 */
function targetOf({ srv: _, ...spec }: DialSpec, { name, port }: SrvRecord): DialSpec {
  const target = name.replace(/\.$/, '');
  const domain = spec.host.replace(/\.$/, '');
  const isWithin = `.${target.toLowerCase()}`.endsWith(`.${domain.toLowerCase()}`);
  const tls = isWithin ? {} : { tls: { servername: domain, ...spec.tls } };
  return { ...spec, host: target, port, ...tls };
}

/** Dials, and gives up after a while; null has no limit. */
async function dialWithin(dialer: Dialer, limitMs: number | null, signal: AbortSignal): Promise<Transport> {
  if (limitMs === null) return dialer.dial(signal);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error('no answer')), limitMs);
  try {
    return await dialer.dial(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

async function dialFirst(
  name: string,
  targets: readonly DialSpec[],
  dial: (target: DialSpec, isLast: boolean) => Promise<Transport>,
  signal: AbortSignal,
): Promise<Transport> {
  const failures: string[] = [];
  let last: Error | null = null;
  for (const target of targets) {
    try {
      return await dial(target, target === targets.at(-1));
    } catch (error) {
      if (signal.aborted || !(error instanceof Error)) throw error;
      failures.push(`${addressText(target.host, target.port)} (${systemErrorText(error).replace(/\.$/, '')})`);
      last = error;
    }
  }
  const more = failures.length > MOST_NAMED ? `, and ${failures.length - MOST_NAMED} more` : '';
  throw new LookupError(`${name} names ${failures.slice(0, MOST_NAMED).join(', ')}${more}.`, true, last);
}
