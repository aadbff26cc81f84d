// The certificates that a failed handshake was about, for whoever explains it. They are kept beside the error: the socket
// that had them is closed by then.

/** What people ask of a certificate. */
export interface CertificateFacts {
  /** Names as one line: 'C=DE, CN=x'. */
  readonly subject: string;
  readonly issuer: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Host names and addresses that it is for; of an old certificate without any, its common name. */
  readonly names: readonly string[];
}

const chains = new WeakMap<Error, readonly CertificateFacts[]>();

/** Remembers which certificates an error is about. */
export function noteCertificates(error: Error, chain: readonly CertificateFacts[]): void {
  chains.set(error, chain);
}

/** The certificates that an error is about, that of the other side first; empty where none is known. */
export function certificatesOf(error: Error): readonly CertificateFacts[] {
  return chains.get(error) ?? [];
}

/** The certificate that has the fault which the error's code names; null where none is known. */
export function faultyCertificate(error: Error): CertificateFacts | null {
  const chain = certificatesOf(error);
  const { code } = error as NodeJS.ErrnoException;
  const now = Date.now();
  const isFaulty = ({ validFrom, validTo }: CertificateFacts): boolean =>
    code === 'CERT_HAS_EXPIRED' ? validTo.getTime() < now : code === 'CERT_NOT_YET_VALID' && validFrom.getTime() > now;
  return chain.find(isFaulty) ?? chain[0] ?? null;
}
