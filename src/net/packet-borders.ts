// Where MQTT packets end in a stream of bytes to be sent, whatever pieces it comes in.

/** Follows one stream. */
export class PacketBorders {
  /** Bytes that the packet's body still needs. */
  private left: number;
  /** The place value of the next byte of the remaining length; 0 in front of a packet's first byte and within a body. */
  private factor: number;

  constructor() {
    this.left = 0;
    this.factor = 0;
  }

  /** The end of the packet that byte `at` belongs to; the end of the bytes where the packet goes on behind them. */
  next(bytes: Buffer, at: number): number {
    let position = at;
    if (this.left === 0 && this.factor === 0 && position < bytes.length) {
      position += 1;
      this.factor = 1;
    }
    while (this.factor > 0 && position < bytes.length) {
      const byte = bytes[position++]!;
      this.left += (byte & 0x7f) * this.factor;
      this.factor = byte >= 0x80 ? this.factor * 128 : 0;
    }
    const body = Math.min(this.factor > 0 ? 0 : this.left, bytes.length - position);
    if (this.factor === 0) this.left -= body;
    return position + body;
  }
}
