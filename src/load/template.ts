// Templates of topics, client ids, user names and payloads: text with places that each client fills in once.

/** What a client fills in. */
export interface ClientNames {
  /** %i */
  readonly number: number;
  /** %c */
  readonly clientId: string;
  /** %u */
  readonly username: string;
}

/** The letters that may stand behind a percent sign; a percent sign itself is always one of them. */
export type Place = 'i' | 'c' | 'u' | 's';

/** Fills a template in. %s is left alone: it marks the place of the stamp, which is put in later. */
export function fill(template: string, names: ClientNames): string {
  return template.replace(/%([icu%])/g, (_, letter: string) => {
    if (letter === 'i') return String(names.number);
    if (letter === 'c') return names.clientId;
    return letter === 'u' ? names.username : '%';
  });
}

/** The first thing behind a percent sign that is none of these places, such as "%x", or null. */
export function unknownPlace(template: string, known: readonly Place[]): string | null {
  for (const [whole, letter] of template.matchAll(/%(.?)/gsu)) {
    if (letter !== '%' && !known.includes(letter as Place)) return whole;
  }
  return null;
}

/** Whether a template has a place (an escaped percent sign in front of a letter is none). */
export function hasPlace(template: string, place: Place): boolean {
  for (const [, letter] of template.matchAll(/%(.?)/gsu)) if (letter === place) return true;
  return false;
}
