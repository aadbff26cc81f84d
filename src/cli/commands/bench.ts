// mqtt-bench: measures a broker with many clients and prints a summary.
import { randomInt } from 'node:crypto';
import { nearestName } from '../../config/nearest.ts';
import { clockMark } from '../../load/clock.ts';
import { type Crew, LocalCrew } from '../../load/crew.ts';
import type { LoadPlan } from '../../load/plan.ts';
import { Team } from '../../load/team.ts';
import type { Io } from '../io.ts';
import { EXIT_ERROR, UsageError } from '../messages.ts';
import { BENCH_COMMANDS, type BenchCommand } from '../options/bench.ts';
import type { Options } from '../options/tables.ts';
import { readCommandLine, reportUsageError } from '../start.ts';
import { isColourful } from '../terminal.ts';
import { BrokerWatch } from './bench-broker.ts';
import { exitCode, explainFailure } from './bench-failures.ts';
import { LiveLine, summaryLines } from './bench-lines.ts';
import { benchPlan, checkBelongs } from './bench-plan.ts';
import { type Course, runCourse, StopSign } from './bench-run.ts';
import { type Summary, summaryOf } from './bench-summary.ts';
import { RemoteCrew, WorkerFailed } from './bench-workers.ts';
import { type Console, openConsole } from './console.ts';
import { onStopSignal } from './stop.ts';

/** Seconds that pub and load measure where nothing else is said. */
const DEFAULT_SECONDS = 10;
/** A run up to a total ends after the drain time without a message; not before this time, nor before so many were due. */
const STALL_SECONDS = 1;
const STALLED_TURNS = 3;
/** Own CPU from which on this side, and not the broker, holds up the messages. */
const BUSY = 0.9;
/** Share of the asked rate below which the run says that it was not kept. */
const KEPT = 0.98;
/** Seconds below which a rate is not judged. */
const LONG_ENOUGH = 1;

/** Runs the command; resolves to its exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined);
  const [command = '', ...rest] = argv;
  const isCommand = (BENCH_COMMANDS as readonly string[]).includes(command);
  // Without a command there are only these.
  if (!isCommand && !['--help', '--version', '--completion'].includes(command)) {
    return reportUsageError('bench', unknownCommand(command), io);
  }
  const parsed = await readCommandLine('bench', isCommand ? rest : argv, io);
  if (typeof parsed === 'number') return parsed;
  try {
    checkBelongs(command as BenchCommand, parsed.given);
    return await bench(command as BenchCommand, parsed.options, argv, io);
  } catch (error) {
    return reportUsageError('bench', error, io);
  }
}

function unknownCommand(word: string): UsageError {
  const known = `${BENCH_COMMANDS.slice(0, -1).join(', ')} or ${BENCH_COMMANDS.at(-1)}`;
  if (word === '' || word.startsWith('-')) return new UsageError(`Say first what to measure: ${known}.`);
  const nearest = nearestName(word, BENCH_COMMANDS);
  const hint = nearest === null ? '' : `\nDid you mean '${nearest}'?`;
  return new UsageError(`Unknown command '${word}': there are ${known}.${hint}`);
}

async function bench(
  command: BenchCommand,
  options: Options<'bench'>,
  words: readonly string[],
  io: Io,
): Promise<number> {
  const run = ((clockMark() << 16) | (randomInt(0x8000) << 1)) >>> 0;
  const plan = benchPlan(command, options, run, io.env);
  const console = await openConsole(io, options.quiet);
  const workers = Math.min(options.workers, Math.max(1, plan.counts.conn, plan.counts.pub, plan.counts.sub));
  const { stderr } = io;
  const tell = options.debug ? (line: string) => stderr.write(`${line}\n`) : null;
  const crews = crewsOf(plan, run, workers, words, tell);
  const sign = new StopSign();
  const forget = onStopSignal(() => sign.stop());
  console.out.watch({ full: () => undefined, drained: () => undefined, closed: () => sign.stop() });
  const isLive = isColourful(stderr, io.env) && !options.quiet && !options.debug;
  const live = isLive ? new LiveLine((text) => stderr.write(text), stderr.columns) : null;
  const broker = options.pid === null ? null : new BrokerWatch(options.pid);
  try {
    const outcome = await runCourse(new Team(crews), courseOf(command, options, plan), broker, sign, (phase, counts) =>
      live?.show(phase, counts, performance.now()),
    );
    live?.clear();
    const summary = summaryOf(command, plan, workers, outcome, broker);
    print(summary, options.json, console);
    if (outcome.hasStalled) console.error('Error: The broker took no more messages; the total was not sent.');
    if (broker?.fault != null) console.warn(`Warning: ${broker.fault}`);
    return exitCode(outcome, summary.received?.lost ?? null, plan.qos);
  } catch (error) {
    if (!(error instanceof WorkerFailed)) throw error;
    console.error(`Error: ${error.message}`);
    return EXIT_ERROR;
  } finally {
    live?.clear();
    forget();
    for (const crew of crews) if (crew instanceof RemoteCrew) crew.dismiss();
    await console.finish();
  }
}

function crewsOf(
  plan: LoadPlan,
  run: number,
  workers: number,
  words: readonly string[],
  tell: ((line: string) => void) | null,
): Crew[] {
  if (workers === 1) {
    return [new LocalCrew(plan, { worker: 0, workers: 1, run }, explainFailure(plan.endpoint), tell)];
  }
  const { password } = plan;
  return Array.from(
    { length: workers },
    (_, worker) => new RemoteCrew({ words, password, share: { worker, workers, run } }),
  );
}

function courseOf(command: BenchCommand, options: Options<'bench'>, { rate }: LoadPlan): Course {
  const { total, warmup, drain } = options;
  const isEndless = total !== null || command === 'conn' || command === 'sub';
  const duration = options.duration ?? (isEndless ? null : DEFAULT_SECONDS);
  const stall = Math.max(drain, STALL_SECONDS, rate === null ? 0 : STALLED_TURNS / rate);
  return { command, duration, total, warmup, drain, stall };
}

/** The summary on standard output; what failed, and what the numbers don't tell, on standard error. */
function print(summary: Summary, asJson: boolean, console: Console): void {
  for (const { sentence, times } of summary.failures) {
    console.error(times === 1 ? `Error: ${sentence}` : `Error (${times} times): ${sentence}`);
  }
  if (asJson) console.text(`${JSON.stringify(summary)}\n`);
  else if (summary.connections.opened > 0) console.text(`${summaryLines(summary).join('\n')}\n`);
  for (const sentence of remarks(summary)) console.warn(`Warning: ${sentence}`);
}

function remarks({ sent, received, connections, ownCpu }: Summary): string[] {
  // Then the numbers have another reason.
  if (connections.failed + connections.lost > 0) return [];
  const asked = sent?.askedPerSecond ?? null;
  if (asked !== null && sent !== null && sent.seconds >= LONG_ENOUGH && sent.perSecond < asked * KEPT) {
    const rates = `${Math.round(asked)} messages a second were asked for, and ${Math.round(sent.perSecond)} sent`;
    if (ownCpu >= BUSY) return [`${rates}: mqtt-bench itself was the bottleneck. Give it more --workers.`];
    return (sent.heldTicks ?? 0) > 0
      ? [`${rates}: the broker took no more, or the window (-M) is too small.`]
      : [`${rates}: the machine did not let mqtt-bench run often enough.`];
  }
  const { openingCpu, seconds } = connections;
  if (sent === null && received === null && openingCpu >= BUSY && seconds >= LONG_ENOUGH) {
    return ['mqtt-bench itself may be the bottleneck of connecting: it used a whole core. Give it more --workers.'];
  }
  if (ownCpu < BUSY || (sent?.messages ?? 0) + (received?.messages ?? 0) === 0) return [];
  return ['mqtt-bench itself may be the bottleneck: it used a whole core. Give it more --workers, or a rate.'];
}
