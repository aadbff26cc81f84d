// A certificate for people who have to find out why it was not taken: whose it is, who signed it, how long it is valid and
// for which hosts.
import type { CertificateFacts } from '../../net/certificate-notes.ts';
import { momentText } from '../../net/tls-errors.ts';
import { printable } from '../../util/printable.ts';

const DAY_MS = 86_400_000;
/** Longest line of a certificate's text that is shown. */
const LONGEST_LINE = 300;

function shortened(text: string): string {
  const clean = printable(text);
  return clean.length <= LONGEST_LINE ? clean : `${clean.slice(0, LONGEST_LINE)}…`;
}

const days = (milliseconds: number): string => {
  const count = Math.floor(milliseconds / DAY_MS);
  return count === 1 ? '1 day' : `${count} days`;
};

/** How the time of validity lies to a moment. */
function standing({ validFrom, validTo }: CertificateFacts, now: number): string {
  if (validTo.getTime() < now) return `expired ${days(now - validTo.getTime())} ago`;
  if (validFrom.getTime() > now) return `valid in ${days(validFrom.getTime() - now)}`;
  return `${days(validTo.getTime() - now)} left`;
}

/** The lines that show a certificate. @param now milliseconds since 1970 */
export function certificateLines(facts: CertificateFacts, now: number): string[] {
  const { subject, issuer, validFrom, validTo, names } = facts;
  return [
    `  Subject: ${subject === '' ? '(none)' : subject}`,
    `  Issuer: ${issuer === subject ? 'itself' : issuer}`,
    `  Valid: ${momentText(validFrom)} to ${momentText(validTo)} (${standing(facts, now)})`,
    ...(names.length === 0 ? [] : [`  For: ${names.join(', ')}`]),
  ].map(shortened);
}
