// What is different in every line where it occurs, because Mosquitto itself changed it after the version that Debian has.
import type { Outcome } from './differential-line.ts';

/** One change that is made to the outcome of mosquitto's tool before it is compared. */
export interface Rule {
  readonly title: string;
  readonly mosquitto: string;
  readonly ours: string;
  readonly reason: string;
  readonly pattern: RegExp;
  readonly replacement: string;
}

export const RULES: readonly Rule[] = [
  {
    title: 'One blank line in front of the pointer to --help',
    mosquitto: 'Two blank lines after some sentences about the command line, one after others.',
    ours: 'One blank line always.',
    reason: 'One form for all usage errors.',
    pattern: /^(Error.*\n)\n\n(?=Use ')/gm,
    replacement: '$1\n',
  },
  {
    title: 'Lookup error without a full stop inside',
    mosquitto: '`Unable to connect (Lookup error.).`',
    ours: '`Unable to connect (Lookup error).`',
    reason: 'Mosquitto 2.1 prints it so.',
    pattern: /\(Lookup error\.\)/g,
    replacement: '(Lookup error)',
  },
  {
    title: 'Time in JSON',
    mosquitto: '`"tst":"2026-11-21T01:58:34.448812Z+0000"`',
    ours: '`"tst":"2026-11-21T01:58:34.448812+0000"`',
    reason: 'Mosquitto 2.1 prints it so: Z and an offset contradict each other.',
    pattern: /\{us\}Z(?=[+-]\d{4}")/g,
    replacement: '{us}',
  },
  {
    title: 'Retain flag in JSON: false',
    mosquitto: '`"retain":0`',
    ours: '`"retain":false`',
    reason: 'Mosquitto 2.1 prints it so.',
    pattern: /("retain":\t?)0(?=,)/g,
    replacement: '$1false',
  },
  {
    title: 'Retain flag in JSON: true',
    mosquitto: '`"retain":1`',
    ours: '`"retain":true`',
    reason: 'Mosquitto 2.1 prints it so.',
    pattern: /("retain":\t?)1(?=,)/g,
    replacement: '$1true',
  },
];

/** The outcome of mosquitto's tool as its rules would have it. `used` is told of each rule that changed something. */
export function modern({ stdout, stderr, code, file }: Outcome, used: (rule: Rule) => void): Outcome {
  const change = (text: string): string => {
    let result = text;
    for (const rule of RULES) {
      const changed = result.replace(rule.pattern, rule.replacement);
      if (changed !== result) used(rule);
      result = changed;
    }
    return result;
  };
  return { stdout: change(stdout), stderr: change(stderr), code, file };
}
