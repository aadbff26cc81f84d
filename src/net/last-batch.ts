// What the outbox before sent. Subscribers of the same topics get the same messages in the same turn, and where nothing in
// them is a receiver's own their bytes are the same, too: they still lie in the turn's shared buffer, and leave again as
// they are. Only a second outbox that begins with the same message has the batch noted, so that others don't pay for it.
import type { Publication } from '../protocol/publish.ts';

/** The bytes in the shared buffer, and the messages that they are. */
export class LastBatch {
  /** The encoded messages; null if the buffer holds something else. */
  bytes: Buffer | null;
  /** The first message of the outbox that was flushed last. */
  private first: Publication | null;
  private publications: Publication[];
  private metas: number[];
  private extras: Buffer[];
  private shape: 0 | 1;

  constructor() {
    this.bytes = null;
    this.first = null;
    this.publications = [];
    this.metas = [];
    this.extras = [];
    this.shape = 0;
  }

  /** Told of the first message of each outbox that is flushed: whether the one before began with the same. */
  begins(first: Publication | null): boolean {
    const isSame = first !== null && first === this.first;
    this.first = first;
    return isSame;
  }

  /** Notes the messages of an outbox that is about to be written; `bytes` are set when they were. */
  note(
    publications: readonly (Publication | null)[],
    metas: readonly number[],
    extras: readonly Buffer[],
    count: number,
    shape: 0 | 1,
  ): void {
    this.publications.length = 0;
    this.metas.length = 0;
    this.extras.length = 0;
    for (let i = 0; i < count; i++) {
      this.publications.push(publications[i]!);
      this.metas.push(metas[i]!);
      this.extras.push(extras[i]!);
    }
    this.shape = shape;
  }

  /** Whether an outbox's messages are the very same. */
  isSame(
    publications: readonly (Publication | null)[],
    metas: readonly number[],
    extras: readonly Buffer[],
    count: number,
    shape: 0 | 1,
  ): boolean {
    if (this.bytes === null || count !== this.publications.length || shape !== this.shape) return false;
    for (let i = 0; i < count; i++) {
      if (publications[i] !== this.publications[i] || metas[i] !== this.metas[i] || extras[i] !== this.extras[i]) {
        return false;
      }
    }
    return true;
  }

  /** Lets go of all, at the end of a turn. */
  clear(): void {
    this.first = null;
    this.bytes = null;
    if (this.publications.length === 0) return;
    this.publications.length = 0;
    this.metas.length = 0;
    this.extras.length = 0;
  }
}
