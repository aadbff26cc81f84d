// What exported lines look like, in one place for writing and reading them. A line is a JSON object with a "kind": first
// "store", then each "session", each "retained" message, each "message" that only waits, and at last "end".

/** Grows when old programs could misunderstand what is new. */
export const EXPORT_VERSION = 1;

/** What is counted, so that lines that got lost are missed. */
export const COUNTED = ['sessions', 'subscriptions', 'received', 'retained', 'messages', 'deliveries'] as const;

/** How many there are of what. */
export type Counts = Record<(typeof COUNTED)[number], number>;

/** Nothing counted yet. */
export function noCounts(): Counts {
  return { sessions: 0, subscriptions: 0, received: 0, retained: 0, messages: 0, deliveries: 0 };
}

/** Words for WAITS, SENT and RELEASES of the records. */
export const STEPS = ['waiting', 'sent', 'released'] as const;

/** The name of bytes that are given in base64 because they are no text. */
export const base64Name = (name: string): string => `${name}Base64`;
