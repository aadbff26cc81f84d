// A publisher and a subscriber beside a load: every message must come once and in order, whatever the broker is busy with.
import { Client } from './client.ts';
import { payloadStart, publishPacket } from './packets.ts';

const EVERY_MS = 5;
const PATIENCE_MS = 20_000;
const TOPIC = 'witness';

export class Witness {
  readonly #publisher: Client;
  readonly #subscriber: Client;
  #sent = 0;
  #seen = 0;
  #timer: NodeJS.Timeout | null = null;
  #whenSeen: (() => void) | null = null;

  constructor(port: number) {
    this.#publisher = new Client(port, 'witness-publisher');
    this.#subscriber = new Client(port, 'witness-subscriber');
    this.#subscriber.onPublish = (first, buffer, start) =>
      this.#see(buffer.readUInt32BE(payloadStart(first, buffer, start)));
  }

  /** Connects and goes on publishing until stop(). */
  async start(): Promise<void> {
    await Promise.all([this.#publisher.connected, this.#subscriber.connected]);
    await this.#subscriber.subscribe([TOPIC], 1);
    this.#timer = setInterval(() => this.#publish(), EVERY_MS);
  }

  #publish(): void {
    const payload = Buffer.alloc(32);
    payload.writeUInt32BE(this.#sent++);
    this.#publisher.socket.write(publishPacket(TOPIC, payload, 2));
  }

  #see(number: number): void {
    if (number !== this.#seen) throw new Error(`message ${number} came where ${this.#seen} was to come`);
    this.#seen += 1;
    if (this.#seen === this.#sent) this.#whenSeen?.();
  }

  /** Waits until all messages came, and returns their number. */
  async stop(): Promise<number> {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#seen < this.#sent) {
      await new Promise<void>((resolve, reject) => {
        this.#whenSeen = resolve;
        setTimeout(() => reject(new Error(`${this.#sent - this.#seen} messages did not come`)), PATIENCE_MS).unref();
      });
    }
    await Promise.all([this.#publisher.leave(), this.#subscriber.leave()]);
    return this.#seen;
  }
}
