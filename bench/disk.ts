// The bare cost of a disk: appends a number of bytes to a file and syncs it, again and again, in a process of its own.
// Prints one line of JSON, with one entry for each size asked for.
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { Histogram } from './histogram.ts';

export interface DiskOptions {
  readonly folder: string;
  /** Bytes of one append; each size is measured for so long. */
  readonly sizes: readonly number[];
  readonly seconds: number;
}

export interface DiskResult {
  readonly size: number;
  readonly syncs: number;
  /** Of an append with its sync, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

/** Appends taken in before it counts, so that the file is there and the code is warm. */
const WARMUP = 50;

function measure(folder: string, size: number, seconds: number): DiskResult {
  const name = path.join(folder, `bare-${size}`);
  const file = openSync(name, 'wx', 0o600);
  const bytes = Buffer.alloc(size, 'x');
  const times = new Histogram();
  const append = (): number => {
    const start = performance.now();
    for (let at = 0; at < size; ) at += writeSync(file, bytes, at, size - at);
    fdatasyncSync(file);
    return performance.now() - start;
  };
  for (let i = 0; i < WARMUP; i++) append();
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) times.add(append() * 1000);
  closeSync(file);
  unlinkSync(name);
  const [p50, p99, longest] = [0.5, 0.99, 1].map((share) => times.milliseconds(share)) as [number, number, number];
  return { size, syncs: times.count, p50, p99, longest };
}

const { folder, sizes, seconds }: DiskOptions = JSON.parse(process.argv[2] ?? '{}');
process.stdout.write(`${JSON.stringify(sizes.map((size) => measure(folder, size, seconds)))}\n`);
