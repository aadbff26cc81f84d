// What one client sends at once is handled in slices, so that others have their turns in between.
import assert from 'node:assert/strict';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { startBroker } from '../../src/broker/broker.ts';
import { ALLOW, type Plugin } from '../../src/broker/hooks/points.ts';
import { configFrom } from '../../src/config/from-program.ts';
import { MQTT311 } from '../../src/protocol/version.ts';
import { MemoryClient, turn, turnUntil } from '../support/memory-client.ts';
import { publishBytes } from '../support/raw-client.ts';

/** A clock that only the test moves, and the broker's tick in its hand. */
function ownTime(context: TestContext): { advance: (milliseconds: number) => void; tick: () => void } {
  const { now } = performance;
  const { uptime } = process;
  const { setInterval: realSetInterval } = globalThis;
  const ticks: (() => void)[] = [];
  let elapsed = now.call(performance);
  const handle = setTimeout(() => undefined, 0);
  Object.assign(performance, { now: () => elapsed });
  Object.assign(process, { uptime: () => elapsed / 1000 });
  Object.assign(globalThis, {
    setInterval: (call: () => void) => {
      ticks.push(call);
      return handle;
    },
  });
  context.after(() => {
    Object.assign(performance, { now });
    Object.assign(process, { uptime });
    Object.assign(globalThis, { setInterval: realSetInterval });
  });
  return {
    advance: (milliseconds) => {
      elapsed += milliseconds;
    },
    tick: () => {
      for (const call of ticks) call();
    },
  };
}

test('a client whose packets take long is not taken for silent while they are handled [MQTT-3.1.2-22]', async (context) => {
  const time = ownTime(context);
  const slow: Plugin = {
    name: 'slow',
    cacheable: false,
    authorize: () => {
      time.advance(100);
      return ALLOW;
    },
  };
  const config = configFrom({ listeners: [{ port: 0 }], global: { sysInterval: 0 } });
  const broker = await startBroker(config, { verbosity: 'none', plugins: [slow] });
  context.after(() => broker.stop());
  const client = new MemoryClient(broker, 'busy', { keepAlive: 1 });
  const other = new MemoryClient(broker, 'other');
  await turnUntil(() => client.counts[2] === 1 && other.counts[2] === 1, 'joined');
  const count = 100;
  client.send(Buffer.concat(Array.from({ length: count }, (_, i) => publishBytes(MQTT311, 't', 'x', 1, i + 1))));
  other.ping();
  await turnUntil(() => other.pongs === 1, 'the other one has its turn');
  assert.ok(client.pubacks < count, `${client.pubacks} of ${count}`);
  while (client.pubacks < count) {
    time.tick();
    await turn();
    assert.equal(client.isOver, false, `closed after ${client.pubacks} of ${count}`);
  }
  time.advance(3000);
  // The coarse clock is read anew in a new turn.
  for (let i = 0; i < 5; i++) await turn();
  time.tick();
  await turnUntil(() => client.isOver, 'silence ends a connection');
});
