// Runs the lines of the differential suite with both makes of tools.
import { GROUPS } from './differential-groups.ts';
import { type Group, type Line, type Outcome, titleOf } from './differential-line.ts';
import { modern, type Rule } from './differential-rules.ts';
import type { Stage } from './differential-stage.ts';

/** Parts of an outcome that are compared. */
export const PARTS = ['stdout', 'stderr', 'code', 'file'] as const;

/** What both makes left behind. */
export interface Pair {
  readonly theirs: Outcome;
  readonly ours: Outcome;
}

/** A line in its place. */
export interface Case {
  readonly group: Group;
  readonly line: Line;
  /** Its group's name and what titleOf makes of it; no other case has the same. */
  readonly name: string;
  readonly number: number;
}

/** Every line of every group. */
export const CASES: readonly Case[] = GROUPS.flatMap((group) =>
  group.lines.map((row) => ({ group, line: typeof row === 'string' ? { line: row } : row })),
).map(({ group, line }, number) => ({ group, line, number, name: `${group.name}: ${titleOf(line)}` }));

/** The parts in which two outcomes differ. */
export function differing({ theirs, ours }: Pair): string[] {
  return PARTS.filter((part) => theirs[part] !== ours[part]);
}

/** An outcome without the minute that it came from. */
export function undated(outcome: Outcome): Outcome {
  return { ...outcome, stdout: outcome.stdout.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d(?=:\{s\})/g, '{minute}') };
}

/** Runs a line with both makes; again where a new minute began in between, for many formats print the minute. */
export async function runBoth(stage: Stage, { group, line, number }: Case, used: (rule: Rule) => void): Promise<Pair> {
  const minute = (): number => Math.floor(Date.now() / 60_000);
  for (let tries = 0; ; tries++) {
    const before = minute();
    const [theirs, ours] = await Promise.all([
      stage.run(group, line, number * 2 + (tries % 2), 'mosquitto'),
      stage.run(group, line, number * 2 + (tries % 2), 'mqtt-suite'),
    ]);
    if (minute() === before || tries === 1)
      return { theirs: group.own === undefined ? modern(theirs, used) : theirs, ours };
  }
}
