// How many come in at once. All connections that wait at a listening socket are accepted in one turn of the loop, and each of
// them means a CONNECT, perhaps an older connection to be closed, and subscriptions, which come together, too. Let in by
// bounded numbers, they spread over turns, and whoever is connected is served in between.
import { Ring } from '../util/ring.ts';

/** Let in a turn: with all that follows, some milliseconds. */
const MOST_PER_TURN = 32;

/** Lets in what comes, in its order; nothing until it is opened. */
export class Turnstile<T extends object> {
  private readonly letIn: (entry: T) => void;
  private readonly waiting: Ring<T>;
  private readonly nextTurn: () => void;
  private left: number;
  /** The next turn is awaited. */
  private isTurning: boolean;

  constructor(letIn: (entry: T) => void) {
    this.letIn = letIn;
    this.waiting = new Ring();
    this.nextTurn = () => this.turn();
    this.left = 0;
    this.isTurning = true;
  }

  /** Begins to let in. */
  open(): void {
    this.turn();
  }

  /** Lets in at once, or in a later turn. */
  add(entry: T): void {
    if (this.left === 0 || this.waiting.length > 0) this.waiting.push(entry);
    else this.pass(entry);
  }

  /** Takes out what still waits. */
  takeWaiting(): T[] {
    const taken: T[] = [];
    for (let entry = this.waiting.shift(); entry !== null; entry = this.waiting.shift()) taken.push(entry);
    return taken;
  }

  private turn(): void {
    this.isTurning = false;
    this.left = MOST_PER_TURN;
    while (this.left > 0) {
      const entry = this.waiting.shift();
      if (entry === null) return;
      this.pass(entry);
    }
  }

  private pass(entry: T): void {
    this.left -= 1;
    if (!this.isTurning) {
      this.isTurning = true;
      setImmediate(this.nextTurn);
    }
    this.letIn(entry);
  }
}
