// mqtt-broker --store-info, --store-export and --store-import: with a store that a broker fills, and one that it starts from.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { segmentHeader, segmentName } from '../../src/broker/store/segment.ts';
import { runTool } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { scratch } from '../support/mosquitto.ts';
import { built, Program } from '../support/process.ts';

const FOLDER = 'mosquitto.store';

/** A configuration with a store, in a folder of its own. */
interface Place {
  readonly folder: string;
  readonly file: string;
  readonly store: string;
  readonly port: number;
}

async function makePlace(context: TestContext, ...lines: string[]): Promise<Place> {
  const folder = scratch(context);
  const port = await freePort();
  const file = path.join(folder, 'broker.conf');
  const all = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${folder}`,
  ];
  writeFileSync(file, `${[...all, ...lines].join('\n')}\n`);
  return { folder, file, store: path.join(folder, FOLDER), port };
}

async function startBroker(context: TestContext, { file }: Place): Promise<Program> {
  const broker = new Program(process.execPath, [built('mqtt-broker'), '-c', file]);
  context.after(() => broker.stop());
  await broker.seen(/ running\n/, 'stderr');
  return broker;
}

const look = (option: string, { file }: Place, stdin?: string) =>
  runTool('mqtt-broker', ['-c', file, option], stdin === undefined ? {} : { stdin });

/** Has a client keep a session for `a/#`, and be away. */
async function subscribe({ port }: Place, clientId: string): Promise<void> {
  const args = ['-p', String(port), '-i', clientId, '-c', '-q', '2', '-t', 'a/#', '-E'];
  assert.equal((await runTool('mqtt-sub', args)).code, 0);
}

async function publish({ port }: Place, topic: string, stdin: string, ...words: string[]): Promise<void> {
  const args = ['-p', String(port), '-q', '1', '-t', topic, '-l', ...words];
  assert.equal((await runTool('mqtt-pub', args, { stdin })).code, 0);
}

/** The objects of exported lines. */
function parsed(lines: string): Record<string, unknown>[] {
  assert.ok(lines.endsWith('\n'));
  return lines
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Without the first line, which has the time. */
const rest = (lines: string): string => lines.slice(lines.indexOf('\n'));

/** The lines of a store with one session, `c`, and messages for it on `a/b`. */
function linesOf(payloads: readonly string[]): string {
  const count = payloads.length;
  const counts = { sessions: 1, subscriptions: 0, received: 0, retained: 0, messages: count, deliveries: count };
  const objects = [
    { kind: 'store', version: 1 },
    { kind: 'session', number: 1, clientId: 'c', listener: '', expiryInterval: 0xffff_ffff },
    ...payloads.map((payload, index) => {
      const deliveries = [{ session: 1, seq: index + 1, qos: 1, step: 'waiting' }];
      return { kind: 'message', number: index + 1, topic: 'a/b', qos: 1, payload, deliveries };
    }),
    { kind: 'end', counts },
  ];
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
}

describe('a store that a broker fills', () => {
  it('is shown while the broker runs, is moved after it was killed, and serves another broker', async (t) => {
    const place = await makePlace(t);
    const broker = await startBroker(t, place);
    const longName = `client-${'x'.repeat(60)}`;
    await subscribe(place, longName);
    await publish(place, 'a/b', 'one\ntwo\nthree\n');
    await publish(place, 'a/kept', 'four\n', '-r');

    const info = await look('--store-info', place);
    assert.deepEqual([info.code, info.stderr], [0, '']);
    assert.match(info.stdout, new RegExp(`^In use by +process ${broker.pid}$`, 'm'));
    assert.match(info.stdout, /^Sessions +1, 0 with an expiry, 0 connected$/m);
    assert.match(info.stdout, /^Subscriptions +1$/m);
    assert.match(info.stdout, /^Queued +4 +30$/m);
    assert.match(info.stdout, /^Retained +1 +10$/m);
    assert.match(info.stdout, /^Oldest queued +since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(.+\), a\/b$/m);
    assert.match(info.stdout, /^client-x{16}… +4 +0 +30 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m);
    assert.match(info.stdout, /^Damage +none$/m);
    assert.deepEqual(
      info.stdout.split('\n').filter((line) => line.length > 80),
      [],
    );

    const running = await look('--store-export', place);
    assert.deepEqual([running.code, running.stderr], [0, '']);
    broker.signal('SIGKILL');
    await broker.ended;
    const exported = await look('--store-export', place);
    assert.equal(rest(exported.stdout), rest(running.stdout));
    assert.deepEqual(
      parsed(exported.stdout).map(({ kind, topic, payload }) => [kind, topic, payload]),
      [
        ['store', undefined, undefined],
        ['session', undefined, undefined],
        ['retained', 'a/kept', 'four'],
        ['message', 'a/b', 'one'],
        ['message', 'a/b', 'two'],
        ['message', 'a/b', 'three'],
        ['end', undefined, undefined],
      ],
    );

    const other = await makePlace(t);
    const done = await look('--store-import', other, exported.stdout);
    assert.deepEqual([done.code, done.stderr], [0, '']);
    assert.equal(
      done.stdout,
      `Imported into ${other.store}: 1 session, 1 subscription, 4 messages for clients, 1 retained message.\n`,
    );
    assert.equal(rest((await look('--store-export', other)).stdout), rest(exported.stdout));
    await startBroker(t, other);
    const args = ['-p', String(other.port), '-i', longName, '-c', '-q', '2', '-t', 'b', '-C', '4', '-W', '10'];
    assert.equal((await runTool('mqtt-sub', args)).stdout, 'one\ntwo\nthree\nfour\n');
    const kept = await runTool('mqtt-sub', [
      '-p',
      String(other.port),
      '-t',
      '#',
      '-C',
      '1',
      '-W',
      '10',
      '-F',
      '%t %r %p',
    ]);
    assert.equal(kept.stdout, 'a/kept 1 four\n');
  });

  it('is not imported into: neither while the broker runs nor later', async (t) => {
    const place = await makePlace(t);
    const broker = await startBroker(t, place);
    await subscribe(place, 'c');
    const inUse = await look('--store-import', place, linesOf(['x']));
    assert.equal(inUse.code, 1);
    assert.match(inUse.stderr, new RegExp(`^Error: The store ${place.store} is in use by the process ${broker.pid};`));
    await broker.stop();
    const before = (await look('--store-export', place)).stdout;
    const taken = await look('--store-import', place, linesOf(['x']));
    assert.equal(taken.code, 1);
    assert.match(
      taken.stderr,
      /holds something already; move the folder away to make room\.\nError found at \S+:4\.\n$/,
    );
    assert.equal(rest((await look('--store-export', place)).stdout), rest(before));
  });
});

describe('an import', () => {
  it('leaves nothing behind if a line is bad or missing', async (t) => {
    const place = await makePlace(t);
    const lines = linesOf(['one', 'two']);
    const cases: readonly (readonly [string, string])[] = [
      [lines.replace('"qos":1', '"qos":3'), 'Line 3: "qos" must be a whole number from 0 to 2.'],
      [lines.slice(0, lines.indexOf('{"kind":"end"')), 'A line of the kind "end" is missing: what came was cut off.'],
    ];
    for (const [input, sentence] of cases) {
      const { code, stdout, stderr } = await look('--store-import', place, input);
      assert.deepEqual([code, stdout, stderr], [1, '', `Error: ${sentence}\nNothing was imported.\n`]);
      assert.deepEqual(readdirSync(place.folder), ['broker.conf']);
    }
  });

  it('leaves nothing behind when a signal ends it, and nothing that counts when it is killed', async (t) => {
    const place = await makePlace(t);
    const [head, ...lines] = linesOf(['one', 'two']).split(/(?<=\n)/);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const child = spawn(process.execPath, [built('mqtt-broker'), '-c', place.file, '--store-import']);
      t.after(() => child.kill('SIGKILL'));
      child.stdin.write(head);
      // It makes its folder when it has all that it needs to begin.
      while (!existsSync(`${place.store}.import`)) await new Promise((resolve) => setImmediate(resolve));
      child.kill(signal);
      await once(child, 'close');
      if (signal === 'SIGTERM') assert.deepEqual(readdirSync(place.folder), ['broker.conf']);
    }
    const broker = await startBroker(t, place);
    assert.match(broker.stderr, /0 sessions/);
    await broker.stop();
    assert.equal((await look('--store-import', place, `${head}${lines.join('')}`)).code, 0);
    assert.deepEqual(readdirSync(place.folder).sort(), ['broker.conf', FOLDER]);
  });
});

describe('an export', () => {
  it('ends quietly when its reader has enough', async (t) => {
    const place = await makePlace(t);
    await look('--store-import', place, linesOf(Array.from({ length: 300 }, () => 'x'.repeat(10_000))));
    const child = spawn(process.execPath, [built('mqtt-broker'), '-c', place.file, '--store-export']);
    t.after(() => child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('of a damaged store has what is whole, and says what is not', async (t) => {
    const place = await makePlace(t, 'persistence_on_corruption refuse');
    await look('--store-import', place, linesOf(Array.from({ length: 40 }, () => 'x'.repeat(10_000))));
    const file = path.join(place.store, readdirSync(place.store)[0]!);
    const bytes = readFileSync(file);
    bytes[100_000] = 0x79;
    writeFileSync(file, bytes);
    const { code, stdout, stderr } = await look('--store-export', place);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /^Warning: The store is damaged: 10,\d{3} bytes in 1 place can't be read, and 1 group of records /,
    );
    assert.match(stderr, /\n {2}10,\d{3} bytes at offset \d+,\d{3} of 0000000001-[0-9a-f]{8}\.seg\n/);
    assert.equal(parsed(stdout).filter(({ kind }) => kind === 'message').length, 39);
    assert.deepEqual(readFileSync(file), bytes);
    const again = await makePlace(t);
    assert.equal((await look('--store-import', again, stdout)).code, 0);
    const info = await look('--store-info', place);
    assert.match(info.stdout, /^Damage +see below\nWarning: The store is damaged: /m);
  });
});

describe('where there is nothing to look into', () => {
  it('a configuration must be named', async () => {
    const { code, stderr } = await runTool('mqtt-broker', ['--store-info']);
    assert.deepEqual([code, stderr], [3, 'Error: Please provide the configuration file that names the store (-c).\n']);
  });

  it('it must have a store', async (t) => {
    const place = await makePlace(t);
    writeFileSync(place.file, 'listener 1883\npersistence false\n');
    const { code, stderr } = await look('--store-import', place, '');
    assert.equal(code, 3);
    assert.equal(
      stderr,
      `Error: Nothing is stored with ${place.file}: persistence is false, and that is the default.\nError found at ${place.file}:2.\n`,
    );
    assert.deepEqual(readdirSync(place.folder), ['broker.conf']);
  });

  it('the store must be there', async (t) => {
    const place = await makePlace(t);
    const { code, stderr, stdout } = await look('--store-export', place);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(stderr, `Error: There is no store ${place.store} yet; a broker with this configuration makes it.\n`);
    assert.deepEqual(readdirSync(place.folder), ['broker.conf']);
  });

  it('it must be one that is understood', async (t) => {
    const place = await makePlace(t);
    mkdirSync(place.store);
    const header = segmentHeader(1, 1, 1);
    header[11] = 9;
    header.writeUInt32BE(crc32(header.subarray(0, 28)), 28);
    writeFileSync(path.join(place.store, segmentName(1, 1)), header);
    const { code, stderr } = await look('--store-info', place);
    assert.equal(code, 1);
    assert.match(stderr, /was written by a newer program \(its format has the version 9\)\.\n/);
  });

  it('only one thing is done at a time', async () => {
    const { code, stderr } = await runTool('mqtt-broker', ['-c', 'x', '--store-info', '--test-config']);
    assert.equal(code, 3);
    assert.match(stderr, /^Error: --store-info, --store-export and --store-import stand alone/);
  });
});
