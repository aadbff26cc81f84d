import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLost } from '../../../src/client/index.ts';
import { KeepAlive } from '../../../src/client/keep-alive.ts';
import { PINGREQ, PINGRESP } from '../../../src/protocol/constants.ts';
import { closed, setUp } from './setup.ts';

/** A keep-alive of 10 s over a clock that the test moves; what is sent counts as sent. */
function rig(): {
  readonly log: string[];
  readonly link: { isReading: boolean; lastReceived: number };
  readonly keepAlive: KeepAlive;
  /** Moves the clock on from one check to the next, for so many seconds. */
  pass(seconds: number): void;
} {
  // Whole milliseconds: sums of them are exact.
  const start = Math.ceil(performance.now());
  let now = 0;
  let wait = 10_000;
  const log: string[] = [];
  const link = { isReading: true, lastReceived: start };
  const keepAlive: KeepAlive = new KeepAlive(
    link,
    () => {
      log.push(`ping ${now / 1000}`);
      keepAlive.sent(start + now);
    },
    () => log.push(`lost ${now / 1000}`),
  );
  keepAlive.start(10);
  keepAlive.stop();
  keepAlive.sent(start);
  return {
    log,
    link,
    keepAlive,
    pass(seconds) {
      const until = now + seconds * 1000;
      while (wait > 0 && now + wait <= until) {
        now += wait;
        wait = Math.round(keepAlive.check(start + now));
      }
      wait -= until - now;
      now = until;
    },
  };
}

test('a quiet connection is pinged in time, and again after each answer [MQTT-3.1.2-20, MQTT3-3.1.2-23]', () => {
  const { log, link, pass } = rig();
  const start = link.lastReceived;
  pass(10);
  assert.deepEqual(log, ['ping 10']);
  link.lastReceived = start + 10_100;
  pass(11);
  assert.deepEqual(log, ['ping 10', 'ping 20']);
});

test('without an answer the connection is lost at one and a half times the keep-alive', () => {
  const { log, pass } = rig();
  pass(30);
  assert.deepEqual(log, ['ping 10', 'lost 15']);
});

test('a paused reader goes on pinging and is not judged; after the pause it gets its time again', () => {
  const { log, link, keepAlive, pass } = rig();
  const start = link.lastReceived;
  link.isReading = false;
  pass(42);
  assert.deepEqual(log, ['ping 10', 'ping 20', 'ping 30', 'ping 40']);
  link.isReading = true;
  keepAlive.forgive();
  link.lastReceived = start + 42_500;
  pass(10);
  assert.deepEqual(log.slice(4), ['ping 50']);
});

test('PINGREQ goes out, its answer is taken, and silence ends the client; the server may set the time [MQTT-3.1.2-21, MQTT-3.2.2-21]', async (context) => {
  const { client, side } = await setUp(context, { keepAlive: 600 }, { properties: { serverKeepAlive: 1 } });
  const end = closed(client);
  await side.next(PINGREQ);
  side.send({ type: PINGRESP });
  await side.next(PINGREQ);
  const error = await end;
  assert.ok(error instanceof ConnectionLost);
  assert.equal(error.reason?.code, 0x8d);
});
