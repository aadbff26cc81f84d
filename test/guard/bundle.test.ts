// One-shot tools live or die at start-up: what mqtt-pub loads before it runs stays small, and brokers, TLS and WebSocket
// stay out of it until they are asked for.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { built } from '../support/process.ts';

const MAX_START_UP_BYTES = 250 * 1024;

/** Static imports of minified code: import…from"./chunk.js", import"./chunk.js", export…from"…". */
const STATIC = /(?:\bfrom|\bimport)\s*"([^"]+)"/g;

interface Graph {
  readonly files: string[];
  /** Packages and node: modules that the files import statically. */
  readonly externals: Set<string>;
  readonly bytes: number;
  readonly text: string;
}

/** Everything that a built file loads before its first line runs. */
function startUpGraph(entry: string): Graph {
  const files = [entry];
  const externals = new Set<string>();
  const texts: string[] = [];
  for (let i = 0; i < files.length; i++) {
    const file = files[i] ?? '';
    const text = readFileSync(file, 'utf8');
    texts.push(text);
    for (const match of text.matchAll(STATIC)) {
      const specifier = match[1] ?? '';
      if (!specifier.startsWith('.')) {
        externals.add(specifier.replace(/^node:/, ''));
        continue;
      }
      const target = path.join(path.dirname(file), specifier);
      if (!files.includes(target)) files.push(target);
    }
  }
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return { files, externals, bytes, text: texts.join('\n') };
}

/** Log lines that stand in the broker's code only; the last test makes sure that they do. */
const BROKER_MARKS = [' listen socket on port ', ' connected from '];

test(`mqtt-pub loads at most ${MAX_START_UP_BYTES} bytes to start`, () => {
  const { bytes, files } = startUpGraph(built('mqtt-pub'));
  assert.ok(bytes <= MAX_START_UP_BYTES, `${bytes} bytes in ${files.length} files`);
});

for (const name of ['mqtt-pub', 'mqtt-sub', 'mqtt-rr']) {
  test(`${name} starts without broker, TLS, WebSocket, spinner and hash code`, () => {
    const { externals, text } = startUpGraph(built(name));
    const unwanted = [
      'tls',
      'https',
      'http',
      'ws',
      'ora',
      'bcryptjs',
      '@noble/hashes',
      'worker_threads',
      'hdr-histogram-js',
    ];
    assert.deepEqual(
      unwanted.filter((module) => externals.has(module)),
      [],
    );
    assert.deepEqual(
      BROKER_MARKS.filter((mark) => text.includes(mark)),
      [],
    );
  });
}

test('only mqtt-bench loads the histograms', () => {
  assert.ok(startUpGraph(built('mqtt-bench')).externals.has('hdr-histogram-js'));
  assert.ok(!startUpGraph(built('mqtt-broker')).externals.has('hdr-histogram-js'));
});

test('the marks of broker code are found where the broker is', () => {
  const { text, externals } = startUpGraph(built('mqtt-broker'));
  for (const mark of BROKER_MARKS) assert.ok(text.includes(mark), `${mark} is not in the broker's start-up code`);
  assert.ok(externals.has('net'), 'static imports of the built files are read');
});
