// What is on its way to a session, by sequence number. There may be millions, and nearly all only wait: of those the number of
// the message and the flags are kept, as one number, and the object is made when somebody asks.
import { Paged } from '../../util/paged.ts';
import { type EntryFacts, WAITS } from './records.ts';

/** A message on its way to a session. */
export interface StateEntry extends EntryFacts {
  readonly seq: number;
  readonly message: number;
}

/** Flags have four bits, and beyond this number a message has no room beside them. */
const FLAGS = 16;
const MOST_MESSAGE = Math.floor(Number.MAX_SAFE_INTEGER / FLAGS) - 1;
const NOTHING = Buffer.alloc(0);

/** The entries of a session. */
export class Entries {
  private readonly paged: Paged<number | StateEntry>;

  constructor() {
    this.paged = new Paged();
  }

  get size(): number {
    return this.paged.size;
  }

  has(seq: number): boolean {
    return this.paged.has(seq);
  }

  get(seq: number): StateEntry | undefined {
    const kept = this.paged.get(seq);
    return kept === undefined ? undefined : unpacked(seq, kept);
  }

  /** Puts an entry in the place of its sequence number. */
  set(entry: StateEntry): void {
    const { seq, message, flags, extra, step } = entry;
    const isPlain = step === WAITS && extra.length === 0 && message <= MOST_MESSAGE;
    this.paged.set(seq, isPlain ? message * FLAGS + flags : entry);
  }

  delete(seq: number): boolean {
    return this.paged.delete(seq);
  }

  /** Visits all in the order of their sequence numbers. What is visited may be taken out or replaced. */
  each(visit: (entry: StateEntry) => void): void {
    this.paged.each((kept, seq) => visit(unpacked(seq, kept)));
  }

  /** All in the order of their sequence numbers. */
  values(): StateEntry[] {
    const all: StateEntry[] = [];
    this.each((entry) => all.push(entry));
    return all;
  }
}

function unpacked(seq: number, kept: number | StateEntry): StateEntry {
  if (typeof kept === 'object') return kept;
  const flags = kept % FLAGS;
  return { seq, message: (kept - flags) / FLAGS, flags, extra: NOTHING, step: WAITS, id: 0, turn: 0 };
}
