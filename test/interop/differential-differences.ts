// The table of differences: every line of the suite whose outcome is not the same, what differs and why. What both makes
// did is in differential-record.json; the page for users is made of both (npm run differences).
import { BROKER_DIFFERENCES } from './differential-differences-broker.ts';
import { FORMAT_DIFFERENCES } from './differential-differences-formats.ts';
import { USAGE_DIFFERENCES } from './differential-differences-usage.ts';

/** Lines that differ for one reason. */
export interface Difference {
  readonly title: string;
  readonly mosquitto: string;
  readonly ours: string;
  readonly reason: string;
  /** Names of the lines, with their group. */
  readonly lines: readonly string[];
  /** Whose outcome is not always the same (it depends on what comes first), and so is not compared with the record. */
  readonly varies?: 'theirs' | 'both';
}

export const DIFFERENCES: readonly Difference[] = [...BROKER_DIFFERENCES, ...USAGE_DIFFERENCES, ...FORMAT_DIFFERENCES];
