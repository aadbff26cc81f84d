// Reading certificates for people. Who only explains an error needs certificate-notes.ts: this file loads node:crypto.
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import type { CertificateFacts } from './certificate-notes.ts';

/** Longest chain that is looked at. */
const LONGEST_CHAIN = 10;

/** "C=DE\nCN=x" as one line. */
const oneLine = (name: string | undefined): string => (name ?? '').split('\n').join(', ');

/** Reads a certificate in PEM or DER form. Throws for anything else. */
export function certificateFacts(certificate: string | Buffer): CertificateFacts {
  const { subject, issuer, validFrom, validTo, subjectAltName } = new X509Certificate(certificate);
  const names = [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]+)/g)].map(
    ([, name = '']) => name,
  );
  const commonName = /^CN=(.+)$/m.exec(subject ?? '')?.[1];
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    validFrom: new Date(validFrom),
    validTo: new Date(validTo),
    names: names.length === 0 && commonName !== undefined ? [commonName] : names,
  };
}

/** The certificates that the other side showed, as Node has them: its own and those of its authorities, in DER form. */
export function chainOf(certificate: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = [];
  // The last one names itself as its issuer.
  for (let at: DetailedPeerCertificate | undefined = certificate; at?.raw !== undefined; at = at.issuerCertificate) {
    if (chain.length === LONGEST_CHAIN || chain.some((known) => known.equals(at?.raw ?? known))) break;
    chain.push(at.raw);
  }
  return chain;
}
