/** The text without blanks around it, as C's isspace has them. A walk, because a pattern would be slow on many blanks. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isBlank = (char: number): boolean => char === 0x20 || (char >= 0x09 && char <= 0x0d);
