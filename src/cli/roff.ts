// Plain text with a little markup → roff with the man(7) macros. The markup: `## Heading`, `### Sub-heading`, paragraphs,
// `- ` lists, `term` followed by `: description`, fenced code, and inside text `code`, **bold** and *emphasis*.

/** Text that roff prints as it is. */
function roffText(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/[^\x20-\x7e]/gu, (char) => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`);
}

/** One or more sentences with their inline markup. */
export function inline(text: string): string {
  const parts = text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/);
  const line = parts
    .map((part, index) => {
      if (index % 2 === 0) return roffText(part);
      if (part.startsWith('`')) return bold(part.slice(1, -1));
      if (part.startsWith('**')) return bold(part.slice(2, -2));
      return italic(part.slice(1, -1));
    })
    .join('');
  // A new sentence starts a new line, as roff wants it.
  return line.replace(/([.!?:]) (?=[A-Z\\])/g, '$1\n').replace(/^(?=[.])/gm, '\\&');
}

/** Bold text: what is typed as it stands. */
export const bold = (text: string): string => `\\fB${roffText(text)}\\fR`;
/** Italic text: what is replaced by something. */
export const italic = (text: string): string => `\\fI${roffText(text)}\\fR`;

/** A heading. */
export const heading = (text: string): string => `.SH "${roffText(text.toUpperCase())}"`;
/** A heading below a heading. */
export const subheading = (text: string): string => `.SS "${roffText(text)}"`;
/** A term and what it means; the term is roff already. */
export const definition = (term: string, text: string): string => `.TP\n${term}\n${inline(text)}`;

/** The lines of a page's prose, behind its title. */
export function blocks(source: string): string {
  const out: string[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) out.push(...paragraphLines(paragraph, out));
    paragraph = [];
  };
  let code: string[] | null = null;
  for (const line of source.split('\n')) {
    if (line.startsWith('```')) {
      flush();
      if (code !== null) out.push('.PP', '.RS 4', '.nf', ...code.map(codeLine), '.fi', '.RE');
      code = code === null ? [] : null;
    } else if (code !== null) code.push(line);
    else if (line.startsWith('#')) {
      flush();
      out.push(line.startsWith('###') ? subheading(line.slice(4)) : heading(line.slice(3)));
    } else if (line === '') flush();
    else {
      if (/^(- |: )/.test(line) && !line.startsWith(': ')) flush();
      paragraph.push(line);
    }
  }
  flush();
  return out.join('\n');
}

/** A paragraph, a list item, or a term with its description. */
function paragraphLines(lines: readonly string[], before: readonly string[]): string[] {
  const [first = '', ...rest] = lines;
  if (first.startsWith('- ')) return ['.IP \\(bu 2', inline([first.slice(2), ...rest].join(' '))];
  if (rest[0]?.startsWith(': ') === true) {
    return ['.TP', inline(first), inline([rest[0].slice(2), ...rest.slice(1)].join(' '))];
  }
  // Right behind a heading, .PP would make an empty paragraph.
  const text = inline(lines.join(' '));
  return /^\.S[HS]/.test(before.at(-1) ?? '') ? [text] : ['.PP', text];
}

/** A line of an example; its empty lines must not look like the end of a paragraph. */
function codeLine(line: string): string {
  if (line === '') return '\\&';
  return roffText(line).replace(/^(?=[.])/, '\\&');
}
