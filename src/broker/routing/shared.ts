// A share group: each message goes to one of its members (MQTT 5.0 section 4.8.2). Members that are connected take turns, as
// far as they can take it; if none can, the sessions that wait for their client, so that the message is not lost; and only
// where it has no place anywhere it is dropped for one of them.
import type { Message } from './message.ts';
import type { Subscription } from './subscription.ts';

/** The members of one group with one filter. */
export class ShareGroup {
  private readonly members: Subscription[];
  private next: number;

  constructor() {
    this.members = [];
    this.next = 0;
  }

  get size(): number {
    return this.members.length;
  }

  /** Whether one of its members is on disk. */
  get isStored(): boolean {
    return this.members.some(({ qos, subscriber }) => qos > 0 && subscriber.isStored);
  }

  add(subscription: Subscription, previous: Subscription | null): void {
    const at = previous === null ? -1 : this.members.indexOf(previous);
    if (at >= 0) this.members[at] = subscription;
    else this.members.push(subscription);
  }

  remove(subscription: Subscription): void {
    const at = this.members.indexOf(subscription);
    if (at < 0) return;
    this.members.splice(at, 1);
    if (this.next > at) this.next -= 1;
  }

  /** Gives the message to one member; false if none takes it. */
  deliver(message: Message): boolean {
    return (
      this.offer(message, true, true) ||
      this.offer(message, false, true) ||
      this.offer(message, true, false) ||
      this.offer(message, false, false)
    );
  }

  private offer(message: Message, online: boolean, needsPlace: boolean): boolean {
    const count = this.members.length;
    for (let step = 0; step < count; step++) {
      const at = (this.next + step) % count;
      const member = this.members[at]!;
      const { subscriber } = member;
      if (subscriber.isOnline !== online || (needsPlace && !subscriber.hasPlaceFor(message, member))) continue;
      if (subscriber.deliver(message, member, null, -1)) {
        this.next = at + 1;
        return true;
      }
    }
    return false;
  }
}
