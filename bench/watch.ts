// Loaded into the broker's process before the broker itself (NODE_OPTIONS=--import): tells the benchmark what can only be
// seen from inside, the delay of the event loop and the syncs of the thread that writes the store. The benchmark asks
// over a local socket, whose path is in MQTT_BENCH_WATCH: 'clear' begins anew, 'read' is answered with one line of JSON, and
// 'collect' is the same after garbage was collected.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { HISTOGRAM_BYTES, Histogram } from './histogram.ts';

/** What the broker's process tells; times in milliseconds. */
export interface Watched {
  /** How late the event loop was, beyond the millisecond after which it is looked at. */
  readonly loop: { readonly p50: number; readonly p99: number; readonly p999: number; readonly longest: number };
  readonly collection: { readonly total: number; readonly longest: number };
  readonly syncs: {
    readonly count: number;
    readonly bytes: number;
    readonly p50: number;
    readonly p99: number;
    readonly longest: number;
  };
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  /** Memory beside the heap that belongs to its objects, array buffers included. */
  readonly external: number;
}

/** Name under which the threads of the process share their counters. */
const SHARED = 'mqtt-bench-watch';
const COUNTER_BYTES = 16;

/** Counters that the writing thread fills and the main thread reads. */
class SyncCounters {
  readonly times: Histogram;
  /** Syncs, and bytes written. */
  readonly #counts: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#counts = new Float64Array(memory, 0, 2);
    this.times = new Histogram(new Uint32Array(memory, COUNTER_BYTES));
  }

  get syncs(): number {
    return this.#counts[0]!;
  }

  get bytes(): number {
    return this.#counts[1]!;
  }

  synced(milliseconds: number): void {
    this.#counts[0]! += 1;
    this.times.add(milliseconds * 1000);
  }

  wrote(bytes: number): void {
    this.#counts[1]! += bytes;
  }

  clear(): void {
    this.#counts.fill(0);
    this.times.clear();
  }
}

/** In a thread of the broker: counts what it writes to files. */
function watchFiles(counters: SyncCounters): void {
  const { writeSync, fdatasyncSync } = fs;
  fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
    const written = writeSync(...args);
    counters.wrote(written);
    return written;
  }) as typeof writeSync;
  fs.fdatasyncSync = (file) => {
    const start = performance.now();
    fdatasyncSync(file);
    counters.synced(performance.now() - start);
  };
  syncBuiltinESMExports();
}

/** A full collection; Node lets it be called when a flag is set, which may be done late. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

/** In the broker's main thread: watches the loop and answers the benchmark. */
function watchLoop(path: string, counters: SyncCounters): void {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const collection = { total: 0, longest: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      collection.total += duration;
      collection.longest = Math.max(collection.longest, duration);
    }
  }).observe({ entryTypes: ['gc'] });
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 1);
  const read = (): Watched => ({
    loop: {
      p50: late(loop.percentile(50)),
      p99: late(loop.percentile(99)),
      p999: late(loop.percentile(99.9)),
      longest: late(loop.max),
    },
    collection,
    syncs: {
      count: counters.syncs,
      bytes: counters.bytes,
      p50: counters.times.milliseconds(0.5),
      p99: counters.times.milliseconds(0.99),
      longest: counters.times.milliseconds(1),
    },
    heapUsed: process.memoryUsage().heapUsed,
    arrayBuffers: process.memoryUsage().arrayBuffers,
    external: process.memoryUsage().external,
  });
  const answer = (socket: Socket, question: string) => {
    if (question === 'clear') {
      loop.reset();
      counters.clear();
      collection.total = 0;
      collection.longest = 0;
    }
    if (question === 'collect') collectGarbage();
    socket.end(`${JSON.stringify(read())}\n`);
  };
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (chunk) => answer(socket, chunk.toString().trim()));
  });
  server.listen(path).unref();
}

const path = process.env['MQTT_BENCH_WATCH'];
if (path !== undefined && isMainThread) {
  const memory = new SharedArrayBuffer(COUNTER_BYTES + HISTOGRAM_BYTES);
  setEnvironmentData(SHARED, memory);
  watchLoop(path, new SyncCounters(memory));
} else if (path !== undefined) {
  const memory = getEnvironmentData(SHARED);
  if (memory instanceof SharedArrayBuffer) watchFiles(new SyncCounters(memory));
}
