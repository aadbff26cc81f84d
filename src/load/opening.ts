// Opens the connections of one process: so many a second, or as fast as they come, and never too many at once. The first one
// goes alone: it finds the address that works, and a broker that is not there is told once instead of a thousand times.
import { dialer } from '../net/endpoint.ts';
import type { Transport } from '../net/transport.ts';
import { microseconds } from './clock.ts';
import { Pacer } from './pacer.ts';
import type { LoadPlan, PlannedClient } from './plan.ts';

/**
 * Connections that all workers together open at the same time. Listening sockets have room for 100 that wait to be accepted
 * (Mosquitto's has); for one more the kernel tries again a second later, which would be measured as the broker's.
 */
const MOST_OPENING = 100;

/** Who makes clients of connections. */
export interface Opener {
  /** A connection is there; calls done() when its client is ready or has failed. `since` is when dialling began. */
  dialled(planned: PlannedClient, transport: Transport, since: number, done: () => void): void;
  /** It could not be opened. */
  failed(planned: PlannedClient, error: Error): void;
}

/** The opening of many connections. */
export class Opening {
  private readonly plan: LoadPlan;
  private readonly clients: readonly PlannedClient[];
  private readonly opener: Opener;
  private readonly rate: number | null;
  private readonly most: number;
  /** Of the connections under way. */
  private readonly attempts: Set<AbortController>;
  private stopped: boolean;
  private next: number;
  private opening: number;
  private firstFailed: boolean;
  private endpoint: LoadPlan['endpoint'];
  private pacer: Pacer | null;
  private timer: NodeJS.Timeout | null;
  private resolve: () => void;

  /** @param workers processes that share the plan's connect rate */
  constructor(plan: LoadPlan, clients: readonly PlannedClient[], workers: number, opener: Opener) {
    const rate = plan.connectRate === null ? null : plan.connectRate / workers;
    this.plan = plan;
    this.clients = clients;
    this.opener = opener;
    this.rate = rate;
    this.most = Math.max(1, Math.floor(MOST_OPENING / workers));
    this.attempts = new Set();
    this.stopped = false;
    this.next = 0;
    this.opening = 0;
    this.firstFailed = false;
    this.endpoint = plan.endpoint;
    this.pacer = null;
    this.timer = null;
    this.resolve = () => undefined;
  }

  /** Opens all; resolves when each is ready or has failed, or after stop(). */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.open(true);
    });
  }

  /** Opens no more, and gives up those under way. */
  stop(): void {
    this.next = this.clients.length;
    this.stopped = true;
    for (const attempt of this.attempts) attempt.abort(new Error('The run was stopped'));
    if (this.timer !== null) clearTimeout(this.timer);
    this.resolve();
  }

  private open(isFirst: boolean): void {
    const planned = this.clients[this.next];
    if (planned === undefined) {
      if (this.opening === 0) this.resolve();
      return;
    }
    this.next += 1;
    this.opening += 1;
    const since = microseconds();
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(timedOut()), this.plan.connectTimeoutMs);
    const settled = (): void => {
      clearTimeout(timer);
      this.attempts.delete(attempt);
    };
    this.attempts.add(attempt);
    const done = (): void => {
      this.opening -= 1;
      this.go(isFirst);
    };
    dialer(this.endpoint)
      .dial(attempt.signal)
      .then(
        (transport) => {
          settled();
          if (isFirst) this.settle(transport.info.address);
          this.opener.dialled(planned, transport, since, done);
        },
        (error: Error) => {
          settled();
          if (isFirst) this.firstFailed = true;
          if (!this.stopped) this.opener.failed(planned, error);
          done();
        },
      );
  }

  /** The others need no look-up of the name any more. */
  private settle(address: string): void {
    const { kind, host, tls } = this.endpoint;
    if (kind === 'unix' || address === '') return;
    const named = tls === undefined ? {} : { tls: { servername: host, ...tls } };
    this.endpoint = { ...this.endpoint, host: address, ...named };
  }

  private go(wasFirst: boolean): void {
    if (this.next >= this.clients.length || this.firstFailed) {
      if (this.opening === 0) this.resolve();
      return;
    }
    if (wasFirst && this.rate !== null) {
      this.pacer = new Pacer(this.rate, performance.now());
      this.tick();
    } else if (this.pacer === null) {
      while (this.opening < this.most && this.next < this.clients.length) this.open(false);
    }
  }

  private tick(): void {
    const { pacer } = this;
    if (pacer === null || this.next >= this.clients.length) return;
    const count = Math.min(pacer.due(performance.now()), this.most - this.opening, this.clients.length - this.next);
    for (let i = 0; i < count; i++) this.open(false);
    pacer.done(Math.max(0, count));
    this.timer = setTimeout(() => this.tick(), pacer.wait(performance.now()));
  }
}

function timedOut(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });
}
