// Well-formed traffic of three clients of mixed versions, step by step, and beside it the model: after every step each
// client must have got exactly what the model says.
import type { FuzzArena } from './fuzz-arena.ts';
import type { Dice } from './fuzz-dice.ts';
import { connect, leave } from './fuzz-moves.ts';
import type { FuzzPeer } from './fuzz-peer.ts';
import { publish, publishHalf, publishOwn } from './fuzz-publishing.ts';
import { hold, subscribe, unsubscribe } from './fuzz-receiving.ts';
import type { Seat } from './fuzz-seat.ts';
import { Table, type TrafficOptions } from './fuzz-table.ts';
import type { ModelSession } from './fuzz-terms.ts';

/** Most advances of time in an episode: their tenths of seconds add up so that nothing is ever due at the very moment. */
const MOST_ADVANCES = 9;

type Step = (table: Table, seat: Seat, peer: FuzzPeer, session: ModelSession) => Promise<void>;

/** What a client that is there does, and how often. */
const STEPS: readonly (readonly [number, Step])[] = [
  [0.38, publish],
  [0.22, subscribe],
  [0.05, unsubscribe],
  [0.13, leave],
  [0.08, publishHalf],
  [0.14, hold],
];

/** Plays one episode. */
export class Traffic {
  private readonly table: Table;
  private advances = 0;

  constructor(arena: FuzzArena, dice: Dice, options: TrafficOptions) {
    this.table = new Table(arena, dice, options);
  }

  /** Goes so many steps; then everybody leaves. A failure tells all steps. */
  async play(steps: number): Promise<void> {
    const { table } = this;
    try {
      for (let i = 0; i < steps; i++) {
        await this.step();
        await table.compare();
      }
    } catch (error) {
      const text = `${(error as Error).message}\nafter:\n  ${table.told.join('\n  ')}`;
      throw new Error(text, { cause: error });
    } finally {
      for (const { peer } of table.seats) peer?.pipe.reset();
    }
  }

  private async step(): Promise<void> {
    const { table } = this;
    const { dice } = table;
    const seat = dice.pick(table.seats);
    const { peer } = seat;
    const kind = dice.next();
    if (kind < 0.08) return this.advance();
    if (kind < 0.1) return publishOwn(table);
    if (peer === null || kind < 0.14) return connect(table, seat);
    let left = dice.next();
    for (const [share, step] of STEPS) {
      left -= share;
      if (left < 0) return step(table, seat, peer, table.model.sessions.get(seat.clientId)!);
    }
  }

  private async advance(): Promise<void> {
    if (this.advances === MOST_ADVANCES) return;
    this.advances += 1;
    const milliseconds = this.table.dice.pick([0, 1, 2, 4, 5]) * 1000 + 300;
    this.table.tell(`clock advances ${milliseconds} ms`);
    this.table.model.advance(milliseconds);
    await this.table.arena.clock.advance(milliseconds);
  }
}
