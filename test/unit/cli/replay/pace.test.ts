import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Console } from '../../../../src/cli/commands/console.ts';
import { Replay } from '../../../../src/cli/commands/replay.ts';
import { parseArguments } from '../../../../src/cli/parse.ts';
import { type Clock, Pace } from '../../../../src/cli/replay/pace.ts';

const STILL = new AbortController().signal;

/** A clock whose timers come late, by what the test says. */
class TestClock implements Clock {
  ms = 1000;
  waits = 0;
  readonly late: (wait: number) => number;

  constructor(late: (wait: number) => number = () => 0) {
    this.late = late;
  }

  now(): number {
    return this.ms;
  }

  wait(ms: number): Promise<void> {
    this.waits += 1;
    this.ms += ms + this.late(this.waits);
    return Promise.resolve();
  }
}

/** When messages of these times (milliseconds) are sent, counted from the first. */
async function sentAt(times: readonly (number | null)[], speed: number, clock: TestClock): Promise<number[]> {
  const pace = new Pace(clock, speed);
  const sent: number[] = [];
  for (const time of times) {
    await pace.due(time === null ? null : 1e15 + time * 1000, STILL);
    sent.push(clock.ms - 1000);
  }
  return sent;
}

test('messages are sent at the times between them, at the speed that is asked for', async () => {
  const times = [0, 10, 10, 500, 60_000];
  assert.deepEqual(await sentAt(times, 1, new TestClock()), times);
  assert.deepEqual(await sentAt(times, 2, new TestClock()), [0, 5, 5, 250, 30_000]);
  assert.deepEqual(await sentAt(times, 0.5, new TestClock()), [0, 20, 20, 1000, 120_000]);
  assert.deepEqual(await sentAt(times, 0, new TestClock()), [0, 0, 0, 0, 0]);
});

test('timers that are late or early do not add up over twenty thousand messages', async () => {
  const times = Array.from({ length: 20_000 }, (_, i) => i * 3);
  const sent = await sentAt(times, 1, new TestClock((wait) => (wait % 3) - 1));
  const errors = sent.map((at, i) => at - times[i]!);
  assert.ok(Math.max(...errors) <= 1 && Math.min(...errors) >= -0.5);
});

test('what is late is sent at once, until the schedule is met again', async () => {
  const clock = new TestClock((wait) => (wait === 1 ? 100 : 0));
  assert.deepEqual(await sentAt([0, 10, 20, 50, 200], 1, clock), [0, 110, 110, 110, 200]);
});

test('where times go back, later ones count from there; where there is none, nothing waits', async () => {
  assert.deepEqual(await sentAt([100, 150, 20, 30, null, 40], 1, new TestClock()), [0, 50, 50, 60, 60, 70]);
});

test('the first message sets the times when it has left, and only the first', async () => {
  const clock = new TestClock();
  const pace = new Pace(clock, 1);
  const sent: number[] = [];
  for (const time of [0, 10, 20]) {
    await pace.due(1e15 + time * 1000, STILL);
    clock.ms += 4;
    pace.left();
    sent.push(clock.ms - 1000);
  }
  assert.deepEqual(sent, [4, 18, 28]);
});

const line = (ms: number, payload: string, more = ''): string =>
  `{"tst":"2026-11-21T00:00:${(ms / 1000).toFixed(6).padStart(9, '0')}+0000","topic":"a/b","qos":1${more},"payload":"${payload}"}\n`;

/** What a recording is sent as, each message with its time. */
async function replayed(
  recording: string | string[] | Readable,
  ...argv: string[]
): Promise<{ sent: string[]; warned: string[] }> {
  const { options, given } = parseArguments('pub', ['--replay', '-', ...argv]);
  const clock = new TestClock();
  const sent: string[] = [];
  const warned: string[] = [];
  const target = {
    send: (topic: string, payload: Buffer, { qos, retain }: { qos?: number; retain?: boolean }) =>
      void sent.push(`${clock.ms - 1000} ${topic} ${qos} ${retain} ${payload}`),
    drained: () => Promise.resolve(),
    end: () => Promise.resolve(void sent.push('end')),
  };
  const console = { warn: (sentence: string) => void warned.push(sentence) } as Console;
  const replay = new Replay(
    target,
    { ...options, protocolVersion: options.protocolVersion ?? '5' },
    { console, given },
    'X',
    clock,
  );
  try {
    const chunks = recording instanceof Readable ? [] : [recording].flat().map((text) => Buffer.from(text));
    await replay.send(recording instanceof Readable ? recording : Readable.from(chunks), STILL);
  } catch (error) {
    sent.push((error as Error).message);
  }
  return { sent, warned };
}

test('a recording is sent with its own QoS, retain flag and topic, or those of the command line', async () => {
  const recording = line(0, 'one') + line(20.5, 'two', ',"retain":true');
  assert.deepEqual((await replayed(recording)).sent, ['0 a/b 1 false one', '20.5 a/b 1 true two', 'end']);
  const changed = await replayed(recording, '-q', '0', '-r', '--speed', '2', '--topic-map', 'a=x');
  assert.deepEqual(changed.sent, ['0 x/b 0 true one', '10.25 x/b 0 true two', 'end']);
});

test('half a line at the end is warned of, any other bad line ends the tool behind those in front of it', async () => {
  const [one, two] = [line(0, 'one'), line(1, 'two')];
  const torn = await replayed([one, two.slice(0, 40)]);
  assert.deepEqual(torn.sent, ['0 a/b 1 false one', 'end']);
  assert.deepEqual(torn.warned, ['Warning: Line 2 of X was not written to its end; it is not sent.']);
  const whole = await replayed([one, '\n', two.trimEnd()]);
  assert.deepEqual([whole.sent.length, whole.warned], [3, []]);
  for (const chunks of [[one, 'no\n', two], [`${one}no\n`], [`${one}no\n${two}`]]) {
    const bad = await replayed(chunks);
    assert.deepEqual(bad, { sent: ['0 a/b 1 false one', 'end', 'Line 2 of X is not valid JSON.'], warned: [] });
  }
  const empty = await replayed(one, '--topic-map', 'a/b=');
  const sentence = "Line 1 of X has the topic 'a/b', which --topic-map makes '', and that is no topic: it is empty.";
  assert.deepEqual(empty.sent, ['end', sentence]);
});

test('a recording that can not be read on ends the tool behind what was read, with the cause and no line', async () => {
  const source = Readable.from(
    (async function* () {
      yield Buffer.from(line(0, 'one') + line(1, 'two').slice(0, 9));
      throw Object.assign(new Error('read'), { code: 'EIO' });
    })(),
  );
  const { sent } = await replayed(source);
  assert.deepEqual(sent, ['0 a/b 1 false one', 'end', 'Unable to read X: Input/output error.']);
});

test('properties that the version does not have are left out with one warning', async () => {
  const recording = line(0, 'one') + line(1, 'two', ',"properties":{"content-type":"x"}').repeat(2);
  const { sent, warned } = await replayed(recording, '-V', '311');
  assert.equal(sent.length, 4);
  assert.deepEqual(warned, [
    'Warning: Properties need MQTT 5 (-V 5): those of line 2 of X, and of other lines, are not sent.',
  ]);
  assert.deepEqual((await replayed(recording)).warned, []);
});
