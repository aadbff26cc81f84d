// The receiving side of QoS 1 and 2: which QoS 2 identifiers await their PUBREL, and how many messages the sender may have
// unacknowledged (the receive maximum that we announced).
import { MAX_PACKET_ID } from '../protocol/constants.ts';

/** Answers of admit(). */
export const NEW = 0;
export const DUPLICATE = 1;
export const OVER_QUOTA = 2;

/** Receiver state of one session. */
export class InboundWindow {
  /** Most QoS 2 messages between PUBLISH and PUBCOMP; QoS 1 is acknowledged in the turn it comes. */
  limit: number;
  /** A bit for each identifier, made when the first QoS 2 message comes. */
  private bits: Uint8Array | null;
  private used: number;

  constructor(limit: number) {
    this.limit = limit;
    this.bits = null;
    this.used = 0;
  }

  /** Identifiers that await PUBREL. */
  get pending(): number {
    return this.used;
  }

  /** A QoS 2 PUBLISH: NEW is to be routed, DUPLICATE only acknowledged again [MQTT-4.3.3-10]. */
  admit(id: number): number {
    if (this.bits === null) this.bits = new Uint8Array((MAX_PACKET_ID + 1) >> 3);
    const bit = 1 << (id & 7);
    const byte = this.bits[id >> 3]!;
    if ((byte & bit) !== 0) return DUPLICATE;
    if (this.used >= this.limit) return OVER_QUOTA;
    this.bits[id >> 3] = byte | bit;
    this.used += 1;
    return NEW;
  }

  /** A PUBREL, or a PUBREC that refuses: the identifier is free again. False if it was not in use. */
  release(id: number): boolean {
    if (this.bits === null) return false;
    const bit = 1 << (id & 7);
    const byte = this.bits[id >> 3]!;
    if ((byte & bit) === 0) return false;
    this.bits[id >> 3] = byte & ~bit;
    this.used -= 1;
    return true;
  }

  /** Forgets everything. */
  clear(): void {
    this.bits = null;
    this.used = 0;
  }
}
