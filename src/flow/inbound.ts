// The receiving side of QoS 1 and 2: which QoS 2 identifiers await their PUBREL, and how many messages the sender may have
// unacknowledged (the receive maximum that we announced).

/** Answers of admit(). */
export const NEW = 0;
export const DUPLICATE = 1;
export const OVER_QUOTA = 2;
export const REUSED = 3;

/** Receiver state of one session. */
export class InboundWindow {
  /** Most QoS 2 messages between PUBLISH and PUBCOMP; QoS 1 is acknowledged in the turn it comes. */
  limit: number;
  /** Identifiers that await PUBREL, with a number for what they brought; made when the first QoS 2 message comes. */
  private contents: Map<number, number> | null;
  /** Those of them that came on an earlier connection only: they do not count against this one's limit. */
  private carried: Set<number> | null;

  constructor(limit: number) {
    this.limit = limit;
    this.contents = null;
    this.carried = null;
  }

  /** Identifiers that await PUBREL. */
  get pending(): number {
    return this.contents === null ? 0 : this.contents.size;
  }

  /** Whether one more message of QoS 1 or 2 on this connection is more than the receive maximum [MQTT-3.3.4-9]. */
  get isFull(): boolean {
    return this.contents !== null && this.contents.size - (this.carried?.size ?? 0) >= this.limit;
  }

  /** The identifiers that await PUBREL. */
  get identifiers(): readonly number[] {
    return this.contents === null ? [] : [...this.contents.keys()];
  }

  /** Whether an identifier awaits PUBREL for what it brought. */
  has(id: number, content: number): boolean {
    return this.contents?.get(id) === content;
  }

  /** A new connection resumes the session: the sender's quota starts over (MQTT 5.0 section 4.9). */
  reconnected(): void {
    this.carried = this.contents === null || this.contents.size === 0 ? null : new Set(this.contents.keys());
  }

  /** Takes identifiers that an earlier process has received, with the numbers for what they brought. */
  restore(contents: ReadonlyMap<number, number>): void {
    if (contents.size > 0) this.contents = new Map(contents);
  }

  /**
   * A QoS 2 PUBLISH: NEW is to be routed, DUPLICATE only acknowledged again [MQTT-4.3.3-10]. `content` stands for topic and
   * payload: another one under the same identifier is REUSED and to be routed, for its sender has lost its session and
   * begins anew.
   */
  admit(id: number, content = 0): number {
    this.contents ??= new Map();
    const known = this.contents.get(id);
    if ((known === undefined || this.carried?.has(id) === true) && this.isFull) return OVER_QUOTA;
    this.carried?.delete(id);
    if (known === content) return DUPLICATE;
    this.contents.set(id, content);
    return known === undefined ? NEW : REUSED;
  }

  /** A PUBREL, or a PUBREC that refuses: the identifier is free again. False if it was not in use. */
  release(id: number): boolean {
    this.carried?.delete(id);
    return this.contents?.delete(id) === true;
  }

  /** Forgets everything. */
  clear(): void {
    this.contents = null;
    this.carried = null;
  }
}
