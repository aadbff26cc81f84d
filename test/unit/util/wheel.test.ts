import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Wheel, type WheelEntry } from '../../../src/util/wheel.ts';

/** A wheel of ten ticks of 100 ms, and what it called. */
class Rig {
  readonly wheel = new Wheel(100, 0, 10);
  readonly calls: string[] = [];

  entry(name: string, then: (now: number) => number = () => 0): WheelEntry {
    return {
      due: (now) => {
        this.calls.push(`${name}@${now}`);
        return then(now);
      },
    };
  }

  /** Advances to a time and tells what that called. */
  at(now: number): string[] {
    this.wheel.advance(now);
    return this.calls.splice(0);
  }
}

test('entries come up at the first tick not before their time, in the order of their ticks', () => {
  const rig = new Rig();
  rig.wheel.add(rig.entry('c'), 301);
  rig.wheel.add(rig.entry('a'), 100);
  rig.wheel.add(rig.entry('b'), 101);
  assert.deepEqual(rig.at(99), []);
  assert.deepEqual(rig.at(100), ['a@100']);
  assert.deepEqual(rig.at(450), ['b@450', 'c@450']);
  assert.equal(rig.wheel.size, 0);
});

test('what is due already comes up at the next tick', () => {
  const rig = new Rig();
  rig.at(500);
  rig.wheel.add(rig.entry('late'), 100);
  assert.deepEqual(rig.at(599), []);
  assert.deepEqual(rig.at(600), ['late@600']);
});

test('an entry that is further away than the wheel is long goes round', () => {
  const rig = new Rig();
  rig.wheel.add(rig.entry('far'), 2500);
  for (let now = 100; now < 2500; now += 100) assert.deepEqual(rig.at(now), []);
  assert.deepEqual(rig.at(2500), ['far@2500']);
});

test('after a long pause everything that is due comes up once, and nothing that is not', () => {
  const rig = new Rig();
  for (const due of [100, 900, 5000, 9999, 10_001, 12_000]) rig.wheel.add(rig.entry(String(due)), due);
  assert.deepEqual(rig.at(10_000).sort(), ['100@10000', '5000@10000', '900@10000', '9999@10000']);
  assert.equal(rig.wheel.size, 2);
  assert.deepEqual(rig.at(10_100), ['10001@10100']);
  assert.deepEqual(rig.at(12_000), ['12000@12000']);
});

test('an entry that names its next time stays, however near or far that is', () => {
  const rig = new Rig();
  let times = [350, 1, 5000, 0];
  rig.wheel.add(
    rig.entry('x', () => times.shift()!),
    100,
  );
  assert.deepEqual(rig.at(100), ['x@100']);
  assert.deepEqual(rig.at(399), []);
  assert.deepEqual(rig.at(400), ['x@400']);
  assert.deepEqual(rig.at(500), ['x@500']);
  assert.deepEqual(rig.at(4999), []);
  assert.deepEqual(rig.at(5000), ['x@5000']);
  times = [0];
  assert.deepEqual([rig.wheel.size, rig.at(100_000)], [0, []]);
});

test('due() may take entries out and put entries in, itself too', () => {
  const rig = new Rig();
  const victim = rig.entry('victim');
  const guest = rig.entry('guest');
  const host = rig.entry('host', () => {
    rig.wheel.remove(victim);
    rig.wheel.add(guest, 200);
    rig.wheel.add(host, 1000);
    return 0;
  });
  rig.wheel.add(host, 100);
  rig.wheel.add(victim, 100);
  assert.deepEqual(rig.at(300), ['host@300', 'guest@300']);
  assert.deepEqual(rig.at(999), []);
  assert.deepEqual(rig.at(1000), ['host@1000']);
});

test('adding again moves, removing twice does nothing, and time that stands still or goes back calls nobody', () => {
  const rig = new Rig();
  const entry = rig.entry('x');
  rig.wheel.add(entry, 100);
  rig.wheel.add(entry, 300);
  assert.equal(rig.wheel.size, 1);
  assert.deepEqual(rig.at(250), []);
  assert.deepEqual(rig.at(100), []);
  rig.wheel.remove(entry);
  rig.wheel.remove(entry);
  assert.deepEqual(rig.at(1000), []);
});

test('an entry that is in for an earlier time stays there and is asked for its new one; a later one moves forward', () => {
  const rig = new Rig();
  const kept = rig.entry('kept', (now) => (now < 900 ? 900 : 0));
  rig.wheel.add(kept, 300);
  rig.wheel.addUnlessEarlier(kept, 900);
  assert.deepEqual([rig.at(300), rig.at(800), rig.at(900)], [['kept@300'], [], ['kept@900']]);
  const hurried = rig.entry('hurried');
  rig.wheel.add(hurried, 5000);
  rig.wheel.addUnlessEarlier(hurried, 1200);
  const fresh = rig.entry('fresh');
  rig.wheel.addUnlessEarlier(fresh, 1300);
  assert.deepEqual([rig.at(1200), rig.at(1300), rig.wheel.size], [['hurried@1200'], ['fresh@1300'], 0]);
});
