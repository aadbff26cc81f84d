// Answers of one peer that promise something which is not on disk yet: they leave when it is, in their order. Answers that
// promise nothing wait behind them, for acknowledgements go out in the order of what they acknowledge [MQTT-4.6.0-2].
import type { Outbox } from '../net/outbox.ts';
import { Ring } from '../util/ring.ts';
import type { Store } from './store/store.ts';

/** Packets that wait for one group of records. */
interface Batch {
  readonly group: number;
  bytes: Buffer;
  length: number;
}

/** The answers of one peer that wait. */
export class HeldReplies {
  private readonly store: Store;
  private readonly outbox: Outbox;
  private readonly batches: Ring<Batch>;

  constructor(store: Store, outbox: Outbox) {
    this.store = store;
    this.outbox = outbox;
    this.batches = new Ring();
  }

  /** Whether something waits: what comes next has to wait, too. */
  get isHolding(): boolean {
    return this.batches.length > 0;
  }

  /** Adds a whole encoded packet. */
  add(packet: Buffer): void {
    const batch = this.room(packet.length);
    packet.copy(batch.bytes, batch.length);
    batch.length += packet.length;
  }

  /** Adds a four-byte acknowledgement. */
  addAck(first: number, id: number): void {
    const batch = this.room(4);
    const { bytes, length } = batch;
    bytes[length] = first;
    bytes[length + 1] = 2;
    bytes[length + 2] = id >>> 8;
    bytes[length + 3] = id;
    batch.length = length + 4;
  }

  /** The batch of the newest group, with room for so many bytes more. */
  private room(length: number): Batch {
    const { batches, store } = this;
    const group = store.lastNumber;
    let batch = batches.length === 0 ? null : batches.at(batches.length - 1);
    if (batch?.group !== group) {
      batch = { group, bytes: Buffer.allocUnsafe(Math.max(64, length)), length: 0 };
      batches.push(batch);
      store.whenDurable(() => this.release());
    } else if (batch.length + length > batch.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(batch.bytes.length * 2, batch.length + length));
      batch.bytes.copy(larger, 0, 0, batch.length);
      batch.bytes = larger;
    }
    return batch;
  }

  private release(): void {
    const { batches, store, outbox } = this;
    for (let next = batches.at(0); next !== null && next.group <= store.durableNumber; next = batches.at(0)) {
      batches.shift();
      outbox.pushControl(next.bytes.subarray(0, next.length));
    }
  }
}
