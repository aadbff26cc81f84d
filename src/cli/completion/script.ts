// --completion: the script for a shell.
import type { Shell } from '../options/completion.ts';
import type { Tool } from '../options/row.ts';
import { bashScript } from './bash.ts';
import { subjectOf } from './facts.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

const WRITERS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** The script that has a shell complete the command of a tool, with its line ends. */
export function completionScript(tool: Tool, shell: Shell): string {
  return `${WRITERS[shell](subjectOf(tool)).join('\n')}\n`;
}
