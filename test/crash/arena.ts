// One broker with its store and its clients, round after round: started, used, ended, and looked at from outside.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { castOf, LAST_RETAINED } from './cast.ts';
import { type DrainState, drain } from './drain.ts';
import { Ledger } from './ledger.ts';
import { LEAST_LENGTH } from './message.ts';
import { type PlanOptions, planOf, type RoundPlan } from './plan.ts';
import { Stage, type StageOptions } from './stage.ts';

/** Kills, by what the broker was doing. */
export interface Kills {
  load: number;
  start: number;
  compaction: number;
  stopping: number;
  /** Losses of power among them. */
  power: number;
  /** Proper ends, which are no kills. */
  stops: number;
  drains: number;
}

export const killCount = ({ load, start, compaction, stopping }: Kills): number => load + start + compaction + stopping;

/** What happens to the disk when the power is lost. */
export type PowerLoss = (plan: RoundPlan) => void;

export class Arena {
  readonly ledger: Ledger;
  readonly stage: Stage;
  readonly kills: Kills = { load: 0, start: 0, compaction: 0, stopping: 0, power: 0, stops: 0, drains: 0 };
  readonly drains: DrainState = { number: 0, sharedFrom: 0 };
  private readonly losePower: PowerLoss;

  constructor(name: string, options: StageOptions, losePower: PowerLoss) {
    this.ledger = new Ledger(name);
    this.stage = new Stage(this.ledger, castOf(this.ledger), options);
    this.losePower = losePower;
  }

  /** Starts the broker for the first time, and makes all sessions. False when that went wrong. */
  async prepare(): Promise<boolean> {
    const { stage, ledger } = this;
    stage.start(-1);
    const { actors, conductor } = stage.cast;
    const all = await Promise.all(actors.filter(({ isDurable }) => isDurable).map((actor) => stage.bring(actor)));
    const isSettled = await ledger.waiting.until(
      () => !stage.isUp || actors.every(({ player, isDurable }) => !isDurable || player.requests.isSettled),
      20_000,
    );
    const last = { publisher: 'conductor', topic: LAST_RETAINED, qos: 1, retain: true, length: LEAST_LENGTH };
    conductor.player.publish(ledger.message({ ...last, expiry: null, isWill: false }));
    const isNoted = await ledger.waiting.until(() => conductor.player.outgoing.length === 0 || !stage.isUp, 20_000);
    if (all.every(Boolean) && isSettled && isNoted && stage.isUp) return true;
    ledger.fault('stuck', 'the sessions could not be made', stage.said());
    return false;
  }

  /** Plays a round on a broker that does not run, and leaves it so. */
  async round(plan: RoundPlan): Promise<void> {
    const { stage, ledger } = this;
    ledger.round = plan.round;
    stage.start(plan.round);
    if (plan.end === 'start') {
      void stage.open();
      await sleep(plan.afterMs);
      await this.end(plan);
      return;
    }
    if (await stage.open()) {
      if (plan.drains && (await drain(stage, this.drains))) this.kills.drains += 1;
      await this.load(plan);
    }
    await this.end(plan);
  }

  /** Plays and drains without an end; the broker runs before and after. For brokers that keep nothing. */
  async rest(round: number, loadMs: number): Promise<boolean> {
    const { stage } = this;
    this.ledger.round = round;
    const until = Date.now() + loadMs;
    await stage.play(() => Date.now() >= until);
    return drain(stage, this.drains);
  }

  /** The last drain, after which nothing may be missing. The broker is stopped properly. */
  async finish(): Promise<void> {
    const { stage, ledger } = this;
    ledger.round += 1;
    stage.start(ledger.round);
    if (await stage.open()) {
      // Wills that wait for their delay; a broker that is at fault already is not waited for.
      const isOver = (): boolean => ledger.faultCounts.size > 0 || ledger.wills.longestWait() === 0;
      await ledger.waiting.until(isOver, ledger.wills.longestWait());
      // Those that sleep through some drains take part in this one.
      this.drains.number = -1;
      if (await drain(stage, this.drains)) this.kills.drains += 1;
    }
    await stage.end('SIGTERM', -1);
    this.lookAtFiles();
  }

  private async load(plan: RoundPlan): Promise<void> {
    const { stage, ledger } = this;
    const until = Date.now() + plan.afterMs;
    const acks = plan.afterAcks === 0 ? Number.POSITIVE_INFINITY : ledger.counts.acked + plan.afterAcks;
    await stage.play(() => Date.now() >= until || ledger.counts.acked >= acks);
    if (plan.end !== 'compaction' || !stage.isUp) return;
    stage.broker?.signal('SIGUSR1');
    const killAt = Date.now() + plan.delayMs;
    await stage.play(() => Date.now() >= killAt);
  }

  private async end(plan: RoundPlan): Promise<void> {
    const { stage, kills } = this;
    const isSlow = plan.end === 'stop' || plan.end === 'stopping';
    await stage.end(isSlow ? 'SIGTERM' : 'SIGKILL', plan.end === 'stopping' ? plan.delayMs : -1);
    if (plan.end === 'stop') {
      kills.stops += 1;
      return;
    }
    kills[plan.end] += 1;
    if (plan.loses === 'nothing') return;
    kills.power += 1;
    this.losePower(plan);
  }

  /** A process that was killed, with the disk in order, leaves nothing damaged behind. */
  private lookAtFiles(): void {
    if (this.kills.power > 0) return;
    const files = readdirSync(this.stage.options.folder, { recursive: true, encoding: 'utf8' });
    const odd = files.filter((file) => path.basename(file).includes('.corrupt-'));
    if (odd.length === 0) return;
    this.ledger.fault('broker', `files were set aside as damaged: ${odd.join(', ')}`, this.stage.said());
  }
}

/** Rounds until `isEnough`, and a last drain. */
export async function playArena(
  arena: Arena,
  seed: number,
  options: PlanOptions,
  isEnough: () => boolean,
): Promise<void> {
  if (await arena.prepare()) {
    await arena.stage.end('SIGTERM', -1);
    for (let round = 0; !isEnough(); round++) await arena.round(planOf(seed, round, options));
    await arena.finish();
  } else await arena.stage.end('SIGKILL', 0);
}
