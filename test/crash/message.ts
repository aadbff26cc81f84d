// A message as the ledger knows it. Its payload says which one it is, and every byte of it follows from that, so that a
// delivery can be traced to its publication and a changed byte is seen.

/** What is published. */
export interface MessagePlan {
  readonly publisher: string;
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  /** Bytes of the payload; 0 clears a retained message, others are at least LEAST_LENGTH. */
  readonly length: number;
  /** Message expiry interval in seconds; null without. */
  readonly expiry: number | null;
  readonly isWill: boolean;
}

/** The serial number in front, with room to spare. */
export const LEAST_LENGTH = 12;

/** One message and what became of it. Moments are the ledger's; 0 is "not yet". */
export class Message {
  readonly serial: number;
  readonly plan: MessagePlan;
  /** When its PUBLISH (a will's CONNECT) was sent, first and last, and how often. */
  firstSentAt = 0;
  lastSentAt = 0;
  sends = 0;
  firstSentMs = 0;
  /** When PUBACK or PUBREC came: the broker has it for good. */
  ackedAt = 0;
  ackedMs = 0;
  /** When no further copy of it could reach the broker. */
  settledAt = Number.POSITIVE_INFINITY;
  /** Which member of each share group got it first, by group. */
  readonly sharedTo = new Map<string, string>();
  readonly history: string[] = [];

  constructor(serial: number, plan: MessagePlan) {
    this.serial = serial;
    this.plan = plan;
  }

  get payload(): Buffer {
    const bytes = Buffer.alloc(this.plan.length);
    if (bytes.length === 0) return bytes;
    for (let i = 0; i < bytes.length; i++) bytes[i] = 0x21 + ((this.serial + i * 7) % 90);
    bytes.write(`${this.serial} `);
    return bytes;
  }

  /** When it expires at the latest, as wall-clock milliseconds, if the broker got it at this time; Infinity if never. */
  expiresMs(from: number): number {
    const { expiry } = this.plan;
    return expiry === null ? Number.POSITIVE_INFINITY : from + expiry * 1000;
  }

  describe(): string {
    const { publisher, topic, qos, retain, length, expiry, isWill } = this.plan;
    const kind = isWill ? 'will' : 'message';
    const marks = `${retain ? ', retained' : ''}${expiry === null ? '' : `, expires after ${expiry} s`}`;
    return `${kind} ${this.serial} of ${publisher} (${topic}, QoS ${qos}, ${length} bytes${marks})`;
  }
}

/** The serial number that a payload begins with; -1 if it has none. */
export function serialOf(payload: Buffer): number {
  const end = payload.indexOf(0x20);
  if (end < 1 || end > 9) return -1;
  const text = payload.toString('latin1', 0, end);
  return /^\d+$/.test(text) ? Number(text) : -1;
}
