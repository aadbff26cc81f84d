// Any text as one line of a screen: nothing in it controls the terminal, and it is no wider than the screen.
import stringWidth from 'string-width';

/** White space that moves the cursor, other control characters, and what turns the direction of writing. */
const UNSAFE = /([\t\n\r]+)|[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const graphemes = new Intl.Segmenter();

/** Replaces what would do more to a terminal than show itself. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, (char: string, blanks: string | undefined) => {
    if (blanks !== undefined) return ' ';
    const digits = char.charCodeAt(0).toString(16);
    return digits.length > 2 ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
  });
}

/** As much of a harmless text as fits into so many columns; a wide character takes two. */
export function fitting(text: string, columns: number): string {
  if (PRINTABLE_ASCII.test(text)) return text.slice(0, columns);
  let width = 0;
  let end = 0;
  for (const { segment, index } of graphemes.segment(text)) {
    width += stringWidth(segment);
    if (width > columns) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}
