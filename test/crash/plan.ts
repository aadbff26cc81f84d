// What a round does, drawn from its seed.
import { Dice } from '../support/fuzz-dice.ts';

/** How a round ends. `loses` says what a loss of power does with what was not synced. */
export interface RoundPlan {
  readonly seed: number;
  readonly round: number;
  /** Whether everything is given out and checked before the load begins. */
  readonly drains: boolean;
  /**
   * load: killed under load. start: killed while it starts. compaction: killed soon after SIGUSR1. stopping: killed soon
   * after SIGTERM. stop: ended by SIGTERM alone, which is no kill.
   */
  readonly end: 'load' | 'start' | 'compaction' | 'stopping' | 'stop';
  /** Milliseconds of load in front of the end; with `start`, from the start of the process. */
  readonly afterMs: number;
  /** Killed as soon as so many more acknowledgements came, if that is earlier; 0 for "not so". */
  readonly afterAcks: number;
  /** Milliseconds between the signal and the kill, for `compaction` and `stopping`. */
  readonly delayMs: number;
  readonly loses: 'nothing' | 'unsynced' | 'some';
}

/** How a run is made up. */
export interface PlanOptions {
  readonly losesPower: boolean;
  /** Rounds between two drains. */
  readonly drainEvery: number;
  /** Milliseconds that a start takes here. */
  readonly startMs: number;
}

/** A seed for something within something, so that no part's draws depend on another's. */
export function seedOf(...parts: readonly (number | string)[]): number {
  let hash = 0x811c9dc5;
  for (const char of parts.join('/')) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

export function planOf(seed: number, round: number, options: PlanOptions): RoundPlan {
  const dice = new Dice(seedOf(seed, 'round', round));
  const end = endOf(dice.below(100));
  const isSoon = dice.chance(0.2);
  const afterMs = end === 'start' ? dice.below(Math.round(options.startMs * 1.5)) : dice.between(0, isSoon ? 15 : 180);
  return {
    seed,
    round,
    drains: end !== 'start' && round % options.drainEvery === options.drainEvery - 1,
    end,
    afterMs,
    afterAcks: dice.chance(0.3) ? dice.between(1, 60) : 0,
    delayMs: dice.below(end === 'compaction' ? 40 : 25),
    loses: options.losesPower && dice.chance(0.8) ? dice.pick(['unsynced', 'some', 'some'] as const) : 'nothing',
  };
}

function endOf(die: number): RoundPlan['end'] {
  if (die < 16) return 'start';
  if (die < 30) return 'compaction';
  if (die < 35) return 'stopping';
  return die < 38 ? 'stop' : 'load';
}
