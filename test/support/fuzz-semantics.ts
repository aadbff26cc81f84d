// The broker against the model: random valid traffic, under settings that change what must be delivered.
import { ALLOW } from '../../src/broker/hooks/points.ts';
import { FuzzArena } from './fuzz-arena.ts';
import { Dice } from './fuzz-dice.ts';
import type { PipeKind } from './fuzz-pipe.ts';
import type { ModelOptions } from './fuzz-terms.ts';
import { Traffic } from './fuzz-traffic.ts';
import { slowed, undecided } from './wire-plugins.ts';

const STEPS = 50;

const MEMORY: readonly PipeKind[] = ['memory'];
const SOCKETS: readonly PipeKind[] = ['memory', 'tcp', 'ws'];

/** One episode with a broker of its own. */
export async function fuzzSemantics(seed: number): Promise<void> {
  const dice = new Dice(seed);
  const maxInflight = dice.pick([1, 2, 20, 0]);
  const model: ModelOptions = {
    merges: dice.chance(0.4),
    maxInflight: maxInflight === 0 ? 65_535 : maxInflight,
    maxQueued: dice.pick([12, 1000, 1000]),
    queueQos0: dice.chance(0.2),
    upgradeQos: dice.chance(0.15),
    lateWills: dice.chance(0.3),
  };
  const arena = await FuzzArena.open({
    global: {
      allowDuplicateMessages: !model.merges,
      maxInflightMessages: maxInflight,
      maxQueuedMessages: model.maxQueued,
      queueQos0Messages: model.queueQos0,
      upgradeOutgoingQos: model.upgradeQos,
    },
    plugins: model.lateWills ? [slowed({ ...undecided(true), authenticate: () => ALLOW })] : [],
  });
  try {
    const kinds = dice.chance(0.2) ? SOCKETS : MEMORY;
    await new Traffic(arena, dice, { model, kinds, shares: dice.chance(0.3) }).play(STEPS);
    await arena.checkBaseline();
  } finally {
    await arena.close();
  }
}
