// What a publish costs beside subscriptions that don't match it: a million against a thousand, at rest and while a tenth of
// the clients come back each second and subscribe anew.
import { median } from '../measure.ts';
import { runOnCore } from '../run-load.ts';
import { type Run, withBroker } from './broker.ts';
import { atMost, type Finding, told } from './scenario.ts';
import type { SubscriptionsOptions, SubscriptionsResult } from './subscriptions-load.ts';

const AT_REST = 1.2;
const IN_CHURN = 1.5;
const EACH = 100;
const FEW_SESSIONS = 10;

function load(run: Run, sessions: number, kind: SubscriptionsOptions['kind']): Promise<SubscriptionsResult> {
  const seconds = run.isQuick ? 1 : 2;
  const windows = run.isQuick ? 1 : 2;
  return withBroker(run, [], ({ port, pid }) => {
    const options: SubscriptionsOptions = { port, pid, sessions, each: EACH, kind, seconds, windows };
    return runOnCore(1, 'scale/subscriptions-load.js', options, 240);
  });
}

const microseconds = (nanoseconds: readonly number[]): number => median(nanoseconds) / 1000;

/** What comes out at nothing or less is lost in the noise of what is taken off: it tells nothing of the target. */
const whereMeasurable = (value: number, finding: Finding): Finding =>
  value > 0 ? finding : { ...finding, isKept: null };

async function measure(run: Run, kind: SubscriptionsOptions['kind'], name: string): Promise<Finding[]> {
  const many = run.isQuick ? 2000 : 10_000;
  const few = await load(run, FEW_SESSIONS, kind);
  const lots = await load(run, many, kind);
  const base = microseconds(few.publish);
  const [rest, churn] = [microseconds(lots.publish), microseconds(lots.publishInChurn)];
  const count = `${(many * EACH).toLocaleString('en-US')} ${name} subscriptions over ${many.toLocaleString('en-US')} sessions`;
  return [
    atMost(
      `${count}, against ${FEW_SESSIONS * EACH}: CPU of a publish`,
      rest / base,
      AT_REST,
      2,
      '',
      ` (${rest.toFixed(2)} µs, ${base.toFixed(2)} µs)`,
    ),
    whereMeasurable(
      churn,
      atMost(
        'the same, with a tenth of the clients coming back each second',
        churn / base,
        IN_CHURN,
        2,
        '',
        ` (${churn.toFixed(2)} µs)`,
      ),
    ),
    told(
      'CPU for a client that comes back with its subscriptions; clients a second',
      `${microseconds(lots.reconnect).toFixed(0)} µs; ${lots.churn.toFixed(0)}`,
    ),
  ];
}

export const measureSubscriptions = (run: Run): Promise<Finding[]> => measure(run, 'plain', 'plain');

export const measureWildcards = (run: Run): Promise<Finding[]> => measure(run, 'wildcards', '+/…/#');
