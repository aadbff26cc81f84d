// A worker process of mqtt-bench: makes the same plan of the same words as the process that started it, takes its share of
// the clients, and does what it is asked over the channel between the two.
import process from 'node:process';
import { LocalCrew } from '../../load/crew.ts';
import type { BenchCommand } from '../options/bench.ts';
import { parseArguments } from '../parse.ts';
import { explainFailure } from './bench-failures.ts';
import { benchPlan } from './bench-plan.ts';
import type { Answer, Question, Start } from './bench-workers.ts';

let crew: LocalCrew | null = null;

function start({ words, password, share }: Start): null {
  const [command, ...argv] = words;
  const options = { ...parseArguments('bench', argv).options, password };
  const plan = benchPlan(command as BenchCommand, options, share.run, process.env);
  const tell = options.debug ? (line: string) => process.stderr.write(`${line}\n`) : null;
  crew = new LocalCrew(plan, share, explainFailure(plan.endpoint), tell);
  return null;
}

async function answer({ call, argument }: Question): Promise<unknown> {
  if (call === 'start') return start(argument as Start);
  if (crew === null) throw new Error(`${call} was asked of a worker that has no plan`);
  if (call === 'warmUp' || call === 'begin') return crew[call](argument as readonly number[]);
  return crew[call]();
}

process.on('message', (question: Question) => {
  const reply = (answer: Answer): void => {
    process.send?.(answer);
  };
  answer(question).then(
    (value) => reply({ id: question.id, value }),
    (error: Error) => reply({ id: question.id, error: error.message }),
  );
});
// The process that started this one has ended, or needs it no longer.
process.on('disconnect', () => process.exit(0));
