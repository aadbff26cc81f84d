// What the retained message of each topic may be. Each topic has one publisher, whose PUBLISH packets are one after the
// other: the value is that of the last acknowledged one, or of one that was sent after it and may not have been heard.
import type { Message } from './message.ts';

/** One PUBLISH that sets or clears. A message that is sent again is a further one. */
interface Setting {
  readonly message: Message;
  readonly sentAt: number;
  ackedAt: number;
  /** Whether the broker may know the PUBLISH already, and set nothing: a message of QoS 2 that was sent before. */
  readonly isRepeated: boolean;
}

/** The longest list of settings of a topic that is kept. */
const MOST_SETTINGS = 60;
/** Settings of a topic that a report tells of. */
const MOST_TOLD = 12;
const EXPIRY_SLACK_MS = 2500;

export class RetainedLedger {
  private readonly topics = new Map<string, Setting[]>();

  sent(message: Message, now: number): void {
    const { topic, qos } = message.plan;
    let settings = this.topics.get(topic);
    if (settings === undefined) {
      settings = [];
      this.topics.set(topic, settings);
    }
    settings.push({ message, sentAt: now, ackedAt: 0, isRepeated: qos === 2 && message.sends > 1 });
    if (settings.length > MOST_SETTINGS) this.topics.set(topic, settings.slice(settings.length - MOST_SETTINGS / 2));
  }

  acknowledged(message: Message, now: number): void {
    const settings = this.topics.get(message.plan.topic)!;
    const last = settings.findLast((one) => one.message === message);
    if (last !== undefined) last.ackedAt = now;
  }

  /** The broker took nothing of it. */
  refused(message: Message): void {
    const settings = this.topics.get(message.plan.topic)!;
    const last = settings.findLastIndex((one) => one.message === message);
    if (last >= 0) settings.splice(last, 1);
  }

  /** All topics that ever had a value. */
  get names(): string[] {
    return [...this.topics.keys()];
  }

  /** Messages that may be the value at this moment or later; null stands for none. */
  allowed(topic: string, moment: number): Set<Message | null> {
    const settings = this.topics.get(topic) ?? [];
    let first = settings.length - 1;
    for (; first >= 0; first--) {
      const { ackedAt, isRepeated } = settings[first]!;
      if (ackedAt > 0 && ackedAt < moment && !isRepeated) break;
    }
    const values = new Set<Message | null>();
    if (first < 0) values.add(null);
    for (const { message } of settings.slice(Math.max(0, first))) {
      values.add(message.plan.length === 0 ? null : message);
      if (message.expiresMs(message.firstSentMs) - EXPIRY_SLACK_MS < Date.now()) values.add(null);
    }
    return values;
  }

  /** The topic's history. */
  told(topic: string): string[] {
    return (this.topics.get(topic) ?? []).slice(-MOST_TOLD).map(({ message, sentAt, ackedAt }) => {
      const kind = message.plan.length === 0 ? 'clear' : 'value';
      return `  ${topic}: ${kind} ${message.serial} sent at ${sentAt}, acknowledged at ${ackedAt}`;
    });
  }
}
