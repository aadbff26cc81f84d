// The load of one measurement, in a process of its own: connects publishers and subscribers over raw sockets, warms the
// broker up, measures what the broker's process spends while messages flow, and checks that every message arrived once
// and in order. Prints one line of JSON.
//
//   node load.js '{"port":1883,"pid":4711,"qos":0,"publishers":1,"subscribers":50,"window":20,…}'
import process from 'node:process';
import { machineSeconds, othersShare } from './calm.ts';
import { Histogram } from './histogram.ts';
import { type Access, fail, Publisher, Subscriber } from './load-clients.ts';
import { cpuNanoseconds } from './measure.ts';
import { type Level, subscribePacket } from './wire.ts';

/** What flows, and how much of it at a time. */
export interface Traffic {
  readonly level: Level;
  readonly qos: 0 | 1 | 2;
  /** With one publisher every subscriber gets all messages, with one subscriber it gets those of all publishers; otherwise
   * there are pairs. */
  readonly publishers: number;
  readonly subscribers: number;
  /** Messages of one publisher that are not yet delivered everywhere (and acknowledged) at any time. */
  readonly window: number;
  /** Payload bytes, at least 8. */
  readonly payload: number;
  readonly isTls: boolean;
  /** Messages a second of all publishers, evenly spread, with latencies measured; 0: as fast as the windows allow. */
  readonly rate: number;
}

export interface LoadOptions extends Traffic {
  readonly port: number;
  /** Process id of the broker, whose CPU time is read. */
  readonly pid: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly deliveries: number;
  readonly seconds: number;
  /** CPU time of the broker, user and system, of all its threads. */
  readonly brokerNanoseconds: number;
  /** CPU time of this process, to tell whether the load was the bottleneck. */
  readonly loadNanoseconds: number;
  /** Share of the machine that neither of them had, 0 to 1. */
  readonly others: number;
  /** From sending to arrival, in milliseconds; null without a rate. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
  /** TLS version and cipher of the connections; empty without TLS. */
  readonly security: string;
}

/** Time that a run may take to deliver what is on its way, in milliseconds; what is missing then counts as lost. */
const PATIENCE = 10_000;
/** Connections opened at a time: fewer than any broker's queue of connections that it has not accepted. */
const OPENED_AT_ONCE = 50;

/** Publishers and subscribers together, and the loop that keeps the windows full. */
class Load {
  readonly latencies: Histogram | null;
  readonly #publishers: Publisher[] = [];
  readonly #subscribers: Subscriber[] = [];
  readonly #traffic: Traffic;
  /** Publishers whose oldest message arrived since they last sent. */
  #noted: Publisher[] = [];
  #pumping = false;
  #scheduled = false;
  #drained: (() => void) | null = null;

  constructor(options: LoadOptions) {
    const { publishers, subscribers, level, qos, payload, window, rate } = options;
    const access: Access = options;
    const form = { level, qos, size: payload };
    this.#traffic = options;
    this.latencies = rate > 0 ? new Histogram() : null;
    const job = {
      form,
      window,
      targets: publishers === 1 ? subscribers : 1,
      progressed: (publisher: Publisher) => this.#note(publisher),
      latencies: this.latencies,
    };
    for (let i = 0; i < publishers; i++) this.#publishers.push(new Publisher(access, i, `bench/topic/${i}`, job));
    for (let i = 0; i < subscribers; i++) {
      const [first, end] = publishers === subscribers ? [i, i + 1] : [0, publishers];
      const sources = this.#publishers.slice(first, end);
      this.#subscribers.push(new Subscriber(access, `sub-${i}`, form, sources, first));
    }
  }

  async open(): Promise<void> {
    const all = [...this.#subscribers, ...this.#publishers];
    for (let i = 0; i < all.length; i += OPENED_AT_ONCE) {
      await Promise.all(all.slice(i, i + OPENED_AT_ONCE).map((connection) => connection.open()));
    }
    const { publishers, subscribers, level, qos } = this.#traffic;
    const filterOf = (i: number): string => {
      if (publishers === subscribers) return `bench/topic/${i}`;
      return publishers === 1 ? 'bench/topic/0' : 'bench/topic/+';
    };
    await Promise.all(this.#subscribers.map((one, i) => one.ask(subscribePacket(level, filterOf(i), qos))));
  }

  get deliveries(): number {
    return this.#subscribers.reduce((sum, subscriber) => sum + subscriber.deliveries, 0);
  }

  get security(): string {
    return this.#subscribers[0]?.security ?? '';
  }

  /** Lets messages flow as fast as the windows allow, whatever the rate of the load, until all have arrived. */
  async warmUp(seconds: number): Promise<void> {
    await this.#windows(seconds);
    await this.#drain();
  }

  /** Lets messages flow for a time and then waits until all of them arrived. */
  async run(seconds: number): Promise<void> {
    if (this.#traffic.rate > 0) await this.#steadily(seconds);
    else await this.#windows(seconds);
    await this.#drain();
  }

  async #drain(): Promise<void> {
    if (this.#open === 0) return;
    const limit = setTimeout(() => fail(`${this.#open} messages did not arrive`), PATIENCE);
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    this.#drained = null;
    clearTimeout(limit);
  }

  close(): void {
    for (const connection of [...this.#publishers, ...this.#subscribers]) connection.close();
  }

  async #windows(seconds: number): Promise<void> {
    this.#pumping = true;
    for (const publisher of this.#publishers) publisher.send(publisher.room());
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    this.#pumping = false;
  }

  /**
   * Sends on a schedule that waits for nobody, a publisher after the other. The loop never sleeps, so that neither timers nor
   * waking up are part of what is measured.
   */
  #steadily(seconds: number): Promise<void> {
    const { rate } = this.#traffic;
    const total = Math.round(rate * seconds);
    const began = performance.now();
    let count = 0;
    return new Promise((resolve) => {
      const turn = () => {
        for (; count < total && performance.now() >= began + (count * 1000) / rate; count++) {
          const publisher = this.#publishers[count % this.#publishers.length]!;
          if (publisher.room() === 0) fail(`${publisher.clientId}: the broker does not keep up with the schedule`);
          publisher.send(1);
        }
        if (count < total) setImmediate(turn);
        else resolve();
      };
      turn();
    });
  }

  get #open(): number {
    return this.#publishers.reduce((sum, publisher) => {
      publisher.room();
      return sum + publisher.sent - publisher.done;
    }, 0);
  }

  /** Joins everything that one turn of the loop received to one round of sending. */
  #note(publisher: Publisher): void {
    publisher.isNoted = true;
    this.#noted.push(publisher);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#answer());
  }

  #answer(): void {
    this.#scheduled = false;
    const noted = this.#noted;
    this.#noted = [];
    for (const publisher of noted) {
      publisher.isNoted = false;
      const room = publisher.room();
      if (this.#pumping && room > 0) publisher.send(room);
    }
    if (!this.#pumping && this.#drained !== null && this.#open === 0) this.#drained();
  }
}

const options: LoadOptions = JSON.parse(process.argv[2] ?? '{}');
const load = new Load(options);
await load.open();
await load.warmUp(options.warmupSeconds);
load.latencies?.clear();
/** CPU time spent so far by the broker, by this process, and by the whole machine. */
const spent = () => ({ broker: cpuNanoseconds(options.pid), own: cpuNanoseconds(process.pid), all: machineSeconds() });
const before = { deliveries: load.deliveries, ...spent() };
const began = process.hrtime.bigint();
await load.run(options.seconds);
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
const after = spent();
const brokerNanoseconds = after.broker - before.broker;
const loadNanoseconds = after.own - before.own;
const { latencies } = load;
const result: LoadResult = {
  deliveries: load.deliveries - before.deliveries,
  seconds,
  brokerNanoseconds,
  loadNanoseconds,
  others: othersShare(after.all - before.all, (brokerNanoseconds + loadNanoseconds) / 1e9, seconds),
  latency: latencies && { p50: latencies.milliseconds(0.5), p99: latencies.milliseconds(0.99) },
  security: load.security,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
load.close();
