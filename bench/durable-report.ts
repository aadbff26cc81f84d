// The durable comparison in words: its tables, and whether the goals of the project are kept.
import {
  type DiskSample,
  diskTable,
  fullTable,
  loopOf,
  medianOf,
  type PairsSample,
  pacedTable,
  rateOf,
} from './durable-pairs.ts';
import { ALWAYS, RIVAL, type Subject } from './durable-subjects.ts';
import { type PlainSample, plainTable } from './plain-sessions.ts';
import { factList, markdownTable, perSecond } from './report.ts';
import type { BacklogResult, ChurnResult } from './store-size.ts';

/** All that one run found out; parts that were not asked for are empty or null. */
export interface Findings {
  readonly subjects: readonly Subject[];
  readonly rate: number;
  readonly pairs: readonly PairsSample[];
  readonly disks: readonly DiskSample[];
  readonly plain: readonly PlainSample[];
  readonly churn: ChurnResult | null;
  readonly backlog: BacklogResult | null;
}

const MOST_CHURN_MB = 100;
const MOST_BACKLOG_MB = 600;
const MOST_START_SECONDS = 10;
const MOST_LOOP_MS = 10;

const megabytes = (value: number): string => `${value.toFixed(0)} MB`;
const milliseconds = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(1)} ms`);
const verdict = (isKept: boolean): string => (isKept ? 'kept' : 'MISSED');

function goal(what: string, found: string, isKept: boolean): string {
  return `- ${what}: ${found}: ${verdict(isKept)}`;
}

function pairsGoals({ pairs }: Findings): string[] {
  const goals: string[] = [];
  const share = medianOf(pairs, ALWAYS, 'full', rateOf) / medianOf(pairs, RIVAL, 'full', rateOf);
  if (!Number.isNaN(share)) {
    goals.push(goal(`${ALWAYS.name} at least as fast as ${RIVAL.name}`, `${share.toFixed(2)} times`, share >= 1));
  }
  for (const part of ['full', 'paced'] as const) {
    const delay = medianOf(pairs, ALWAYS, part, loopOf);
    if (Number.isNaN(delay)) continue;
    const when = part === 'full' ? 'as fast as it goes' : 'at the steady rate';
    goals.push(goal(`event-loop delay p99 ≤ ${MOST_LOOP_MS} ms ${when}`, milliseconds(delay), delay <= MOST_LOOP_MS));
  }
  return goals;
}

function sizeGoals({ churn, backlog }: Findings): string[] {
  const goals: string[] = [];
  if (churn !== null)
    goals.push(goal(`churn leaves < ${MOST_CHURN_MB} MB`, megabytes(churn.final), churn.final < MOST_CHURN_MB));
  if (backlog !== null) {
    const { before, after, startSeconds, connectSeconds } = backlog;
    const most = Math.max(before, after);
    const seconds = startSeconds + connectSeconds;
    goals.push(goal(`queued messages in ≤ ${MOST_BACKLOG_MB} MB`, megabytes(most), most <= MOST_BACKLOG_MB));
    goals.push(goal(`start in ≤ ${MOST_START_SECONDS} s`, `${seconds.toFixed(1)} s`, seconds <= MOST_START_SECONDS));
  }
  return goals;
}

function sizeTable({ churn, backlog }: Findings): string {
  const rows: string[][] = [];
  if (churn !== null) {
    const { messages, queue, watched } = churn;
    rows.push(
      [
        `${messages.toLocaleString('en-US')} messages through a queue of ${queue.toLocaleString('en-US')}`,
        `${perSecond(churn.rate)} msg/s`,
      ],
      [
        '… store at most / at the end / after a stop',
        [churn.peak, churn.final, churn.stopped].map(megabytes).join(' / '),
      ],
      ['… written', megabytes(churn.written)],
      ['… most resident memory', megabytes(churn.resident)],
      [
        '… event-loop delay p99 / longest',
        `${milliseconds(watched?.loop.p99)} / ${milliseconds(watched?.loop.longest)}`,
      ],
    );
  }
  if (backlog !== null) {
    const { messages, watched, drained } = backlog;
    rows.push(
      [
        `${messages.toLocaleString('en-US')} messages queued for a session that is away`,
        `${perSecond(backlog.rate)} msg/s`,
      ],
      ['… store', megabytes(backlog.disk)],
      ['… resident memory before the restart', megabytes(backlog.before)],
      [
        '… right after it, and the most during the start',
        `${megabytes(backlog.after)}, ${megabytes(backlog.peakAtStart)}`,
      ],
      [
        '… start until the log says that it runs',
        `${backlog.startSeconds.toFixed(2)} s, ${backlog.startCpuSeconds.toFixed(2)} s of CPU time`,
      ],
      ['… and until the subscriber is let in', `${backlog.connectSeconds.toFixed(2)} s`],
      ['… until it has all of them', `${backlog.drainSeconds.toFixed(1)} s`],
      [
        '… event-loop delay p99 / longest while queueing',
        `${milliseconds(watched?.loop.p99)} / ${milliseconds(watched?.loop.longest)}`,
      ],
      [
        '… and while the subscriber fetches them',
        `${milliseconds(drained?.loop.p99)} / ${milliseconds(drained?.loop.longest)}`,
      ],
    );
  }
  return markdownTable(['size', ''], rows);
}

/** The file for bench/results/. */
export function durableReport(facts: Readonly<Record<string, string>>, findings: Findings): string {
  const { subjects, pairs, disks, plain, churn, backlog, rate } = findings;
  const sections = ['# What durability costs', factList(facts)];
  const goals = [...pairsGoals(findings), ...sizeGoals(findings)];
  if (goals.length > 0) sections.push('## Goals', goals.join('\n'));
  if (pairs.length > 0) {
    sections.push('## Publishers to persistent sessions, as fast as it goes', fullTable(pairs, subjects));
    sections.push(`## The same at ${perSecond(rate)} messages a second`, pacedTable(pairs, subjects));
    sections.push('## The bare cost of the disk', diskTable(disks));
  }
  if (plain.length > 0)
    sections.push('## Clean sessions: CPU per delivery with persistence and without', plainTable(plain));
  if (churn !== null || backlog !== null) sections.push('## Size', sizeTable(findings));
  return `${sections.join('\n\n')}\n`;
}
