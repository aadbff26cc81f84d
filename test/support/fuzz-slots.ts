// Messages of shared subscriptions: the model knows who may have one, not who has it. What came beside the expected is
// matched with what somebody had to get.
import { saysTheSame } from './fuzz-compare.ts';
import type { Delivery } from './fuzz-peer.ts';
import type { Slot } from './fuzz-terms.ts';

/** A delivery that nobody else accounts for. */
export interface Extra {
  readonly clientId: string;
  readonly delivery: Delivery;
  readonly hasProperties: boolean;
}

function fits(slot: Slot, { clientId, delivery, hasProperties }: Extra): boolean {
  const copy = slot.candidates.get(clientId);
  return copy !== undefined && saysTheSame(delivery, copy, hasProperties);
}

/** The messages that are still to be had. */
export class SlotBook {
  private open: Slot[] = [];

  add(slots: readonly Slot[]): void {
    this.open.push(...slots);
  }

  /**
   * Finds for each delivery a slot of its own, so that those are filled that must be. Returns the deliveries without one
   * and the slots that stay empty although they must not; both are forgotten.
   */
  settle(extras: readonly Extra[]): { surplus: Extra[]; unfilled: Slot[] } {
    const slotOf = new Map<Extra, Slot>();
    const extraOf = new Map<Slot, Extra>();
    const join = (slot: Slot, extra: Extra): true => {
      slotOf.set(extra, slot);
      extraOf.set(slot, extra);
      return true;
    };
    // Augmenting paths: whoever is in the way looks for another one first.
    const fill = (slot: Slot, seen: Set<Extra>): boolean =>
      extras.some((extra) => {
        if (seen.has(extra) || !fits(slot, extra)) return false;
        seen.add(extra);
        const other = slotOf.get(extra);
        return (other === undefined || fill(other, seen)) && join(slot, extra);
      });
    const place = (extra: Extra, seen: Set<Slot>): boolean =>
      this.open.some((slot) => {
        if (seen.has(slot) || !fits(slot, extra)) return false;
        seen.add(slot);
        const other = extraOf.get(slot);
        return (other === undefined || place(other, seen)) && join(slot, extra);
      });
    const unfilled = this.open.filter((slot) => !slot.isOpen && !fill(slot, new Set()));
    const surplus = extras.filter((extra) => !slotOf.has(extra) && !place(extra, new Set()));
    this.open = this.open.filter((slot) => slot.isOpen && !extraOf.has(slot));
    return { surplus, unfilled };
  }
}
