// What a broker says beside the reason code: for people, on a terminal that it must not be able to control.
import type { Properties } from '../protocol/properties.ts';
import { printable } from '../util/printable.ts';

/** Longest text of the other side that is shown. */
const LONGEST_QUOTE = 500;

function quotable(text: string): string {
  return printable(text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE)}…`);
}

/** A line for each of reason string and server reference that a packet carries. */
export function brokersWords({ reasonString, serverReference }: Properties): readonly string[] {
  return [
    ...(reasonString === undefined ? [] : [`The broker says: ${quotable(reasonString)}`]),
    ...(serverReference === undefined ? [] : [`The broker names another server: ${quotable(serverReference)}`]),
  ];
}
