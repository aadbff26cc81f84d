// The $SYS tree: what changed since the last time, and the moving averages. All of it comes from the metric table.
import { METRICS, type Metrics, metricIndex } from './metrics.ts';

/** Publishes a retained message of the broker's own. */
export type SysPublish = (topic: string, payload: string) => void;

/** Reads the gauges into the metrics. */
export type GaugeReader = (set: (key: string, value: number) => void) => void;

const PREFIX = '$SYS/broker/';

/** Periods of the moving averages, in minutes. */
const PERIODS = [1, 5, 15] as const;

/** A moving average per minute. */
interface Load {
  readonly index: number;
  readonly topic: string;
  readonly minutes: number;
  lastCount: number;
  average: number;
}

/** The tree of one broker. */
export class SysTree {
  private readonly metrics: Metrics;
  private readonly publish: SysPublish;
  private readonly readGauges: GaugeReader;
  private readonly published: Map<string, string>;
  private readonly loads: Load[];
  private readonly startedMs: number;
  private lastMs: number;

  constructor(metrics: Metrics, publish: SysPublish, readGauges: GaugeReader, nowMs: number) {
    this.metrics = metrics;
    this.publish = publish;
    this.readGauges = readGauges;
    this.published = new Map();
    this.startedMs = nowMs;
    this.lastMs = nowMs;
    this.loads = METRICS.flatMap(({ key, load }) =>
      load === null
        ? []
        : PERIODS.map((minutes) => ({
            index: metricIndex(key),
            topic: `load/${load}/${minutes}min`,
            minutes,
            lastCount: 0,
            average: 0,
          })),
    );
  }

  /** Publishes the version, once. */
  announce(version: string): void {
    this.put('version', version);
  }

  /** Publishes every value that changed since the last update. Times are monotonic milliseconds. */
  update(nowMs: number): void {
    this.readGauges((key, value) => {
      this.metrics.values[metricIndex(key)] = value;
    });
    this.put('uptime', `${Math.floor((nowMs - this.startedMs) / 1000)} seconds`);
    METRICS.forEach(({ topics }, index) => {
      const value = this.metrics.values[index]!;
      if (Number.isNaN(value)) return;
      for (const topic of topics) this.put(topic, String(value));
    });
    const seconds = (nowMs - this.lastMs) / 1000;
    if (seconds <= 0) return;
    this.lastMs = nowMs;
    for (const load of this.loads) {
      const count = this.metrics.values[load.index]!;
      const perMinute = ((count - load.lastCount) * 60) / seconds;
      load.lastCount = count;
      load.average = perMinute + Math.exp(-seconds / (60 * load.minutes)) * (load.average - perMinute);
      this.put(load.topic, load.average.toFixed(2));
    }
  }

  private put(topic: string, value: string): void {
    if (this.published.get(topic) === value) return;
    this.published.set(topic, value);
    this.publish(PREFIX + topic, value);
  }
}
