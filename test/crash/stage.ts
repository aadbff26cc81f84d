// Where the clients meet the broker: it starts the process, brings the clients in, lets them play, and ends the process.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dice } from '../support/fuzz-dice.ts';
import type { Actor } from './actor.ts';
import { BrokerProcess } from './broker-process.ts';
import type { Cast } from './cast.ts';
import type { Ledger } from './ledger.ts';
import { seedOf } from './plan.ts';

/** What a stage is built on. */
export interface StageOptions {
  readonly seed: number;
  /** The broker's program file. */
  readonly program: string;
  readonly folder: string;
  readonly port: number;
  /** Lines of the configuration besides the listener. */
  readonly config: readonly string[];
  readonly env: Record<string, string>;
}

/** Milliseconds between two attempts to connect, and between two steps of the load. */
const RETRY_MS = 3;
const STEP_MS = 5;
/** Milliseconds for what should take a fraction of a second. */
const PATIENCE_MS = 20_000;

export class Stage {
  readonly ledger: Ledger;
  readonly cast: Cast;
  readonly options: StageOptions;
  broker: BrokerProcess | null = null;
  private readonly configFile: string;
  private readonly coming = new Set<Actor>();
  private dice: ReadonlyMap<Actor, Dice> = new Map();

  constructor(ledger: Ledger, cast: Cast, options: StageOptions) {
    this.ledger = ledger;
    this.cast = cast;
    this.options = options;
    mkdirSync(options.folder, { recursive: true });
    this.configFile = path.join(options.folder, 'mosquitto.conf');
    const lines = [`listener ${options.port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_messages 0'];
    const log = ['log_dest stderr', 'log_type error', 'log_type warning', 'log_type notice', 'user root'];
    writeFileSync(this.configFile, `${[...lines, ...log, ...options.config].join('\n')}\n`);
  }

  /** Starts the process; clients may come from now on. Every client's dice are new for the round. */
  start(round: number): void {
    const { options, ledger, cast } = this;
    this.dice = new Map(
      cast.actors.map((actor) => [actor, new Dice(seedOf(options.seed, round, actor.player.id))] as const),
    );
    ledger.isDying = false;
    ledger.isStopping = false;
    ledger.started();
    this.broker = new BrokerProcess(options.program, this.configFile, options.folder, options.env);
    void this.broker.ended.then(() => ledger.waiting.wake());
  }

  /** Whether the broker runs and is to go on doing so. */
  get isUp(): boolean {
    return !this.ledger.isDying && this.broker !== null && !this.broker.isOver;
  }

  diceOf(actor: Actor): Dice {
    return this.dice.get(actor)!;
  }

  /** Connects a client, as often as it takes; false when the broker is gone before. */
  async bring(actor: Actor): Promise<boolean> {
    const { player } = actor;
    await this.ledger.waiting.until(() => !player.isLeaving, PATIENCE_MS);
    if (player.isJoined) return true;
    if (this.coming.has(actor)) return this.ledger.waiting.until(() => player.isJoined || !this.isUp, PATIENCE_MS);
    this.coming.add(actor);
    try {
      const joining = actor.joining(this.diceOf(actor));
      while (this.isUp) {
        if (await player.join(this.options.port, joining)) {
          player.requests.settle();
          return true;
        }
        await sleep(RETRY_MS);
      }
      return false;
    } finally {
      this.coming.delete(actor);
      this.ledger.waiting.wake();
    }
  }

  /** Brings in everybody who comes at the start. Tells whether the broker was there to the end. */
  async open(): Promise<boolean> {
    const { ledger, cast } = this;
    const comers = cast.actors.filter((actor) => actor.comes(this.diceOf(actor)));
    const isIn = Promise.all(comers.map((actor) => this.bring(actor))).then((all) => all.every(Boolean));
    const late = sleep(PATIENCE_MS, null, { ref: false });
    const result = await Promise.race([isIn, late]);
    if (result !== null) return result;
    const waiting = comers.filter(({ player }) => !player.isJoined).map(({ player }) => player.id);
    ledger.fault('stuck', `these were not let in for ${PATIENCE_MS} ms: ${waiting.join(' ')}`, this.said());
    return false;
  }

  /** Plays until `isOver` says so or the broker is gone. */
  async play(isOver: () => boolean): Promise<void> {
    while (this.isUp && !isOver()) {
      for (const actor of this.cast.actors) {
        actor.act(this.diceOf(actor), () => void this.bring(actor));
      }
      await this.ledger.waiting.until(() => !this.isUp || isOver(), STEP_MS);
    }
  }

  /**
   * Ends the process, and waits until every client has noticed. `delayMs` after SIGTERM it is killed, unless that is negative.
   * A process that has ended already is at fault, but for one that may refuse to start.
   */
  async end(signal: 'SIGKILL' | 'SIGTERM', delayMs: number, mayHaveEnded = false): Promise<void> {
    const { broker, ledger } = this;
    if (broker === null) return;
    const diedBefore = broker.isOver && !mayHaveEnded;
    ledger.isDying = true;
    if (signal === 'SIGTERM') {
      ledger.isStopping = true;
      ledger.wills.stopping();
      broker.signal('SIGTERM');
      if (delayMs >= 0) {
        await sleep(delayMs);
        broker.signal('SIGKILL');
      }
    } else broker.signal('SIGKILL');
    if (!(await broker.endsWithin(PATIENCE_MS))) {
      ledger.fault('stuck', `the broker did not end within ${PATIENCE_MS} ms of SIGTERM`, this.said());
    } else if (diedBefore || (signal === 'SIGTERM' && delayMs < 0 && broker.code !== 0)) {
      ledger.fault('broker', `the broker ended by itself, or badly (exit code ${broker.code})`, this.said());
    }
    const { actors } = this.cast;
    await ledger.waiting.until(() => actors.every(({ player }) => !player.isConnected), PATIENCE_MS);
    await ledger.waiting.until(() => this.coming.size === 0, PATIENCE_MS);
    ledger.killed();
  }

  /** What the broker printed last. */
  said(): string[] {
    const lines = (this.broker?.output ?? '').trimEnd().split('\n').slice(-20);
    return lines.map((line) => `  broker: ${line}`);
  }
}
