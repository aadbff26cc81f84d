// mqtt-sub --record and mqtt-pub --replay against a broker.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { main as pub } from '../../src/cli/commands/pub.ts';
import { main as sub } from '../../src/cli/commands/sub.ts';
import { parseMessageLine } from '../../src/cli/json-lines.ts';
import { connect } from '../../src/index.ts';
import { scratch } from '../support/mosquitto.ts';
import { built, Program } from '../support/process.ts';
import { Running, runCommand } from '../support/run-command.ts';
import { embeddedBroker, Observer } from './embedded-broker.ts';

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);

/** A line without its time. */
const timeless = (line: string): string => line.replace(/^\{"tst":"[^"]+",/, '{');

const message = fc.record({
  topic: fc.constantFrom('from/a', 'from/ü/"quoted"', 'from//', 'from'),
  payload: fc.uint8Array({ maxLength: 60, size: 'max' }),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  retain: fc.boolean(),
  properties: fc.constantFrom(
    {},
    { correlationData: Buffer.from([0, 200]), responseTopic: 'r', payloadFormatIndicator: 0 },
    { userProperties: [['a', '1'] as const, ['a', '2'] as const], contentType: '"\\', messageExpiryInterval: 100 },
  ),
});

/** A recording made of these arguments, once it has as many messages as they say. */
async function recording(
  context: TestContext,
  broker: Awaited<ReturnType<typeof embeddedBroker>>,
  filter: string,
  file: string,
  count: number,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const subscribed = broker.subscribed(filter);
  const argv = ['-t', filter, '-q', '2', '--retain-as-published', '--record', file, '-C', String(count)];
  const running = new Running(sub, [...broker.where, ...argv]);
  context.after(() => running.stdin.destroy());
  await subscribed;
  await work();
  assert.deepEqual(await running.result(), { code: 0, stdout: '', stderr: '' });
  return linesOf(file);
}

describe('recording and replaying', { concurrency: true }, () => {
  it('gives the same messages: recorded, replayed and recorded again', async (context) => {
    const broker = await embeddedBroker(context);
    const folder = scratch(context);
    const client = await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port: broker.port } });
    context.after(() => client.end());
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 12 }), async (messages) => {
        round += 1;
        const [first, second] = [path.join(folder, `a${round}`), path.join(folder, `b${round}`)];
        const recorded = await recording(context, broker, `${round}/from/#`, first, messages.length, async () => {
          for (const { topic, payload, qos, retain, properties } of messages) {
            await client.publish(`${round}/${topic}`, Buffer.from(payload), { qos, retain, properties });
          }
        });
        const replay = ['--replay', first, '--speed', 'max', '--topic-map', '+/from=+/to'];
        const again = await recording(context, broker, `${round}/to/#`, second, messages.length, async () => {
          assert.equal((await runCommand(pub, [...broker.where, ...replay])).code, 0);
        });
        assert.deepEqual(
          again.map(timeless).map((line) => line.replace('/to', '/from')),
          recorded.map(timeless),
        );
        const payloads = recorded.map((line) => parseMessageLine(line).payload);
        assert.deepEqual(
          payloads,
          messages.map(({ payload }) => Buffer.from(payload)),
        );
      }),
      { numRuns: 12 },
    );
  });

  it('records behind what is there, mends its end, and leaves other files alone', async (context) => {
    const broker = await embeddedBroker(context);
    const file = path.join(scratch(context), 'recording');
    const argv = ['-t', 't', '--record', file, '-C', '1'];
    const record = async (...more: string[]): Promise<string> => {
      const subscribed = broker.subscribed('t');
      const running = new Running(sub, [...broker.where, ...argv, ...more]);
      await subscribed;
      await runCommand(pub, [...broker.where, '-t', 't', '-m', 'x']);
      const { code, stdout, stderr } = await running.result();
      assert.equal(code, 0);
      return stdout + stderr;
    };
    assert.equal(await record(), '');
    assert.equal(await record('-v'), 't x\n');
    assert.equal(linesOf(file).length, 2);
    // A whole line without its end is ended, half a line is cut off.
    writeFileSync(file, readFileSync(file, 'utf8').trimEnd());
    assert.equal(await record(), '');
    assert.equal(linesOf(file).length, 3);
    appendFileSync(file, '{"tst":"2026');
    assert.equal(
      await record(),
      `Warning: The last line of the recording "${file}" was not written to its end: 12 bytes are cut off.\n`,
    );
    for (const line of linesOf(file)) assert.equal(parseMessageLine(line).topic, 't');
    assert.equal(linesOf(file).length, 4);
    // As after a power failure.
    const size = statSync(file).size;
    truncateSync(file, size + 600_000_000);
    assert.equal(
      await record(),
      `Warning: The last line of the recording "${file}" was not written to its end: 600000000 bytes are cut off.\n`,
    );
    assert.equal(linesOf(file).length, 5);
    writeFileSync(file, 'a letter\n{"tst":"');
    const refused = await runCommand(sub, [...broker.where, ...argv]);
    assert.equal(refused.code, 1);
    assert.equal(refused.stderr, `Error: "${file}" is not a recording of mqtt-sub; it is left as it is.\n`);
    assert.equal(readFileSync(file, 'utf8'), 'a letter\n{"tst":"');
  });

  it('ends with a sentence when the disk is full, and leaves whole lines', async (context) => {
    const broker = await embeddedBroker(context);
    const file = path.join(scratch(context), 'recording');
    const subscribed = broker.subscribed('t');
    // A file must not grow beyond 8 KiB here, which is met as a full disk is.
    const argv = [process.execPath, built('mqtt-sub'), ...broker.where, '-t', 't', '--record', file];
    const program = new Program('bash', ['-c', 'ulimit -f 8; exec "$0" "$@"', ...argv]);
    await subscribed;
    await runCommand(pub, [...broker.where, '-t', 't', '-m', 'x'.repeat(300), '--repeat', '100']);
    const { code, stderr } = await program.ended;
    assert.equal(code, 1);
    assert.equal(stderr, `Error: The recording "${file}" can't be written: File too large.\n`);
    const text = readFileSync(file, 'utf8');
    assert.ok(text.endsWith('\n') && text.length > 7000);
    for (const line of linesOf(file)) assert.equal(parseMessageLine(line).payload.length, 300);
  });

  it('replays from standard input, and says which line is none after it has sent those in front of it', async (context) => {
    const broker = await embeddedBroker(context);
    const observer = await Observer.of(context, broker.port);
    const line = (payload: string): string => `{"topic":"t","qos":1,"payload":"${payload}"}\n`;
    const result = await runCommand(pub, [...broker.where, '--replay', '-'], `${line('1')}${line('2')}x\n${line('3')}`);
    assert.deepEqual(result, { code: 1, stdout: '', stderr: 'Error: Line 3 of standard input is not valid JSON.\n' });
    await observer.seen(2);
    assert.deepEqual(observer.payloads, ['1', '2']);
  });

  it('ends when the connection is lost for good while it waits', async (context) => {
    const broker = await embeddedBroker(context);
    const file = path.join(scratch(context), 'recording');
    const line = (day: number): string => `{"tst":"2026-11-${day}T00:00:00+0000","topic":"t","payload":""}\n`;
    writeFileSync(file, line(20) + line(21));
    const observer = await Observer.of(context, broker.port);
    const running = new Running(pub, [...broker.where, '--replay', file, '--max-reconnects', '0']);
    await observer.seen(1);
    await broker.broker.stop();
    assert.equal(await running.code, 7);
  });

  it('refuses what makes no sense', async (context) => {
    for (const [argv, sentence] of [
      [['-t', 't', '-m', 'x', '--speed', '2'], "'--speed' needs '--replay'."],
      [['-t', 't', '-m', 'x', '--topic-map', 'a=b'], "'--topic-map' needs '--replay'."],
      [['--replay', 'x', '--speed', 'fast'], 'Invalid speed "fast", it must be from 0.001 to 1000000, or 0 or max.'],
      [['--replay', 'x', '-l'], 'Only one type of message can be sent at once.'],
    ] as const) {
      const { code, stderr } = await runCommand(pub, argv);
      assert.equal(code, 1);
      assert.ok(stderr.startsWith(`Error: ${sentence}\n`), stderr);
    }
    const missing = path.join(scratch(context), 'missing');
    const { code, stderr } = await runCommand(pub, ['--replay', missing]);
    assert.deepEqual(
      [code, stderr],
      [1, `Error: Unable to open the recording "${missing}": No such file or directory.\n`],
    );
    assert.equal(existsSync(missing), false);
  });
});
