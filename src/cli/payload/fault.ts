// What makes a payload, or the text that is to become one, unusable, and the bounds of what is taken apart.

/** Containers within containers. */
export const MAX_DEPTH = 1000;
/** Values in one payload: a small one may hold more than there is memory or time for. */
export const MAX_VALUES = 1_000_000;

/** The bytes or the text are not of their format. The message is what comes behind a colon: `it ends too early`. */
export class PayloadFault extends Error {}

/** The fault of a text, with the place where it is: an index into it. */
export function faultAt(text: string, at: number, what: string): PayloadFault {
  const before = text.slice(0, at).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  const line = before.length === 1 ? '' : `line ${before.length}, `;
  return new PayloadFault(`${what} at ${line}column ${column}`);
}

/** Where a payload ends inside of a value. */
export const endsTooEarly = (): PayloadFault => new PayloadFault('it ends too early');

/** Where something follows the one value that a payload is. */
export const goesOn = (at: number): PayloadFault =>
  new PayloadFault(`more follows behind its value, from byte ${at} on`);

/** Throws where a payload has more values or nests more deeply than is taken. */
export function checkBounds(values: number, depth: number): void {
  if (values > MAX_VALUES) throw new PayloadFault(`it has more than ${MAX_VALUES} values`);
  if (depth > MAX_DEPTH) throw new PayloadFault(`it nests more than ${MAX_DEPTH} deep`);
}
