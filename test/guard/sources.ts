// The project's source files as text, for the guards.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from '../support/process.ts';

/** Files below a folder of the repository, as paths relative to it with forward slashes, sorted. */
function filesBelow(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(path.join(repository, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...filesBelow(name));
    else found.push(name);
  }
  return found.sort();
}

/** TypeScript files below these folders. */
export const sourcesBelow = (...folders: string[]): string[] =>
  folders.flatMap(filesBelow).filter((name) => name.endsWith('.ts'));

/** The text of a file of the repository. */
export const textOf = (name: string): string => readFileSync(path.join(repository, name), 'utf8');

/** A source text with its comments blanked, line by line, so that places stay where they are. */
export function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, ' ');
  return text.replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (match) =>
    match.startsWith('/') ? blank(match) : match,
  );
}

/** One import statement, export from, or import() of a source file. */
export interface Import {
  readonly line: number;
  /** As written, for example '../util/ring.ts' or 'node:fs'. */
  readonly specifier: string;
  /** Leaves no trace in the running program. */
  readonly isTypeOnly: boolean;
  /** Written as import(…), so loaded when first needed. */
  readonly isLazy: boolean;
}

const STATEMENT = /^[ \t]*(?:import|export)\b([^'";]*?)\bfrom\s*['"]([^'"]+)['"]/gm;
const BARE = /^[ \t]*import\s*['"]([^'"]+)['"]/gm;
const LAZY = /\bimport\(\s*['"]([^'"]+)['"]/g;

/** The imports of a source text. */
export function importsOf(source: string): Import[] {
  const text = withoutComments(source);
  const lineAt = (index: number) => text.slice(0, index).split('\n').length;
  const found: Import[] = [];
  for (const match of text.matchAll(STATEMENT)) {
    const clause = match[1] ?? '';
    const isTypeOnly = /^\s*type\s/.test(clause) || isAllTypes(clause);
    found.push({ line: lineAt(match.index), specifier: match[2] ?? '', isTypeOnly, isLazy: false });
  }
  for (const match of text.matchAll(BARE)) {
    found.push({ line: lineAt(match.index), specifier: match[1] ?? '', isTypeOnly: false, isLazy: false });
  }
  for (const match of text.matchAll(LAZY)) {
    // `import('…').Name` in a type position leaves no trace either, but the style has import statements for that.
    found.push({ line: lineAt(match.index), specifier: match[1] ?? '', isTypeOnly: false, isLazy: true });
  }
  return found;
}

function isAllTypes(clause: string): boolean {
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1];
  if (names === undefined) return false;
  const parts = names.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '').every((part) => part.startsWith('type '));
}

/** Where a relative import of a file leads, as a path relative to the repository; null for a package or a node: module. */
export function targetOf(file: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
}
