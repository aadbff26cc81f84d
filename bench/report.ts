// The parts of which the reports are made.

export const perSecond = (rate: number): string => Math.round(rate).toLocaleString('en-US');
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A Markdown table whose first column is text and whose others are numbers. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map((_cell, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');
}

/** The facts of a run as a list. */
export function factList(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `- ${name}: ${value}`)
    .join('\n');
}

/** The file for bench/results/. */
export function report(facts: Readonly<Record<string, string>>, tables: string): string {
  return `# Comparison of brokers\n\n${factList(facts)}\n\nMedians. CPU is the broker's user and system time for each message delivered, in microseconds.\n\n${tables}\n`;
}
