// Cuts what a connection receives into packets without making objects.

/** Takes each packet: its first byte, and where its body begins and ends. The buffer is valid during the call only. */
export interface PacketSink {
  packet(first: number, buffer: Buffer, body: number, end: number): void;
}

const SHORT = 1024;
/** Bytes of the longest header: the first one and four of the remaining length. */
const LONGEST_HEADER = 5;

export class PacketReader {
  readonly #sink: PacketSink;
  /** The beginning of a packet whose rest has not come yet. */
  #held: Buffer = Buffer.allocUnsafe(SHORT);
  #holding = 0;
  /** Where the body of the packet found last begins and ends. */
  #body = 0;
  #end = 0;

  constructor(sink: PacketSink) {
    this.#sink = sink;
  }

  read(buffer: Buffer, length: number): void {
    let at = this.#holding > 0 ? this.#complete(buffer, length) : 0;
    while (at + 2 <= length) {
      const short = buffer[at + 1]!;
      if (short < 128) {
        this.#body = at + 2;
        this.#end = at + 2 + short;
      } else if (!this.#measure(buffer, at, length)) break;
      if (this.#end > length) break;
      const end = this.#end;
      this.#sink.packet(buffer[at]!, buffer, this.#body, end);
      at = end;
    }
    if (at < length) this.#hold(buffer, at, length);
  }

  /** Reads the header of a packet; false where it is not complete. */
  #measure(buffer: Buffer, start: number, limit: number): boolean {
    let body = 0;
    for (let at = start + 1, shift = 0; at < limit; at++, shift += 7) {
      const byte = buffer[at]!;
      body |= (byte & 127) << shift;
      if (byte < 128) {
        this.#body = at + 1;
        this.#end = at + 1 + body;
        return true;
      }
    }
    return false;
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    const due = this.#holding + end - start;
    if (due > this.#held.length) {
      const larger = Buffer.allocUnsafe(2 * due);
      this.#held.copy(larger, 0, 0, this.#holding);
      this.#held = larger;
    }
    buffer.copy(this.#held, this.#holding, start, end);
    this.#holding = due;
  }

  /** Adds to the held packet what it lacks and hands it on; returns where the next one begins. */
  #complete(buffer: Buffer, length: number): number {
    let at = 0;
    while (!this.#measure(this.#held, 0, Math.min(this.#holding, LONGEST_HEADER))) {
      if (at === length) return at;
      this.#hold(buffer, at, at + 1);
      at += 1;
    }
    const rest = Math.min(this.#end - this.#holding, length - at);
    this.#hold(buffer, at, at + rest);
    if (this.#holding < this.#end) return length;
    this.#holding = 0;
    this.#sink.packet(this.#held[0]!, this.#held, this.#body, this.#end);
    return at + rest;
  }
}
