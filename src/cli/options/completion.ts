// The option of every tool that prints a completion script.
import { choice } from '../kinds.ts';
import type { OptionRow } from './row.ts';

const SHELLS = { bash: 'bash', zsh: 'zsh', fish: 'fish' } as const;

/** A shell that scripts can be written for. */
export type Shell = keyof typeof SHELLS;

export const COMPLETION_OPTIONS = [
  {
    key: 'completion',
    names: ['--completion'],
    kind: choice(SHELLS, (word) => `There is no completion for '${word}', only for bash, zsh and fish.`),
    tools: ['broker', 'pub', 'sub', 'rr', 'passwd', 'bench'],
    group: 'General',
    value: 'SHELL',
    missing: '--completion argument given but no shell specified',
    stops: true,
    help: 'Print a script that has bash, zsh or fish complete the options of this command, and exit.',
  },
] as const satisfies readonly OptionRow[];
