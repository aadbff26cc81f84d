// What a scenario says of its targets.
import type { Run } from './broker.ts';

/** One line of the report. */
export interface Finding {
  readonly what: string;
  readonly measured: string;
  /** The target in words; empty for what is only told. */
  readonly target: string;
  /** Null where there is no target. */
  readonly isKept: boolean | null;
}

export interface Scenario {
  readonly name: string;
  readonly measure: (run: Run) => Promise<Finding[]>;
}

/** A finding without a target. */
export const told = (what: string, measured: string): Finding => ({ what, measured, target: '', isKept: null });

/** A finding that is to be at most so much. */
export function atMost(what: string, value: number, limit: number, digits: number, unit: string, note = ''): Finding {
  return {
    what,
    measured: `${value.toFixed(digits)}${unit}${note}`,
    target: `≤ ${limit}${unit}`,
    isKept: value <= limit,
  };
}

/** A finding that is to be at least so much. */
export function atLeast(what: string, value: number, limit: number, digits: number, unit: string, note = ''): Finding {
  return {
    what,
    measured: `${value.toFixed(digits)}${unit}${note}`,
    target: `≥ ${limit}${unit}`,
    isKept: value >= limit,
  };
}
