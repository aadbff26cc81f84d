// The sentences that say why: to MQTT 5 clients as reason strings, and to the log. A sentence tells what was refused and the
// limit that counts; of access rules it tells what was denied, never which rule did it.

/** Sentences that are always the same. */
export const WHY = {
  clientIdEmpty: 'The client identifier is empty, and this server does not choose one.',
  clientIdLasting: 'A session that is to last needs a client identifier.',
  clientIdPrefix: 'This server does not take client identifiers that begin like this.',
  clientIdFromUsername: 'The user name serves as the client identifier here, and there is none.',
  certificate: 'The client certificate, which must be there, names nobody.',
  connect: 'Not authorized to connect.',
  method: 'The authentication method is not known here.',
  authentication: 'The authentication failed.',
  willRetained: 'The will is a retained message, and there are none here.',
  willFormat: 'The will payload is not the UTF-8 that its payload format indicator promises.',
  payloadFormat: 'The payload is not the UTF-8 that its payload format indicator promises.',
  packetSize: 'The answer would be larger than the maximum packet size of the client.',
  takenOver: 'Another connection has come with this client identifier.',
  shuttingDown: 'The server is shutting down.',
  listenerClosed: 'The server no longer listens where the client came in.',
  storeFails: 'The server cannot store anything at the moment.',
  rightsChanged: 'The client may no longer be connected as it is.',
} as const;

/** Longest part of a topic that a sentence quotes, in UTF-16 units. */
const LONGEST_QUOTE = 100;

/** A topic name or filter in quotes; of a long one the beginning. */
export function quoted(topic: string): string {
  if (topic.length <= LONGEST_QUOTE) return `'${topic}'`;
  const last = topic.charCodeAt(LONGEST_QUOTE - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? LONGEST_QUOTE - 1 : LONGEST_QUOTE;
  return `'${topic.slice(0, end)}…'`;
}

/** The sentence about one refused filter or several: the first of them is named. */
export function denied(action: 'subscribe to' | 'unsubscribe from', filters: readonly string[]): string {
  const others = filters.length - 1;
  const more = others === 0 ? '' : others === 1 ? ' and one more filter' : ` and ${others} more filters`;
  return `Not authorized to ${action} ${quoted(filters[0] ?? '')}${more}.`;
}

/** A fault's words as a sentence. */
export function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
