// Certificates that are no longer valid, or not yet: they work as far as OpenSSL is concerned when they are loaded, and then
// every client turns away.
import type { X509Certificate } from 'node:crypto';

/** The end of a sentence about a certificate that is not valid at a time; null if it is valid then. */
export function dateFault(certificate: X509Certificate, nowMs: number): string | null {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  if (nowMs > to) return `expired on ${day(to)}`;
  return nowMs < from ? `is not valid before ${day(from)}` : null;
}

function day(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
