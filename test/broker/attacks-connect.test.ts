// Attacks in and before CONNECT: slowly, in masses, with wills and properties that break rules.
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ALLOW, DEFER, type Plugin } from '../../src/broker/hooks/points.ts';
import { ConnectionLost } from '../../src/client/errors.ts';
import type { Will } from '../../src/protocol/packets.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { QUOTA_EXCEEDED } from '../../src/protocol/reasons.ts';
import { MQTT311 } from '../../src/protocol/version.ts';
import { memoryInUse } from '../support/memory-in-use.ts';
import { connectBytes, publishBytes, RawClient } from '../support/raw-client.ts';
import { watch } from './attack-watch.ts';
import { join, nothingCame, open, refusal, until } from './harness.ts';

/** Sends bytes one by one, faster than any time-out, until the broker closes; resolves to how many it took. */
async function trickle(context: TestContext, client: RawClient, bytes: Buffer): Promise<number> {
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < bytes.length) client.send(bytes.subarray(sent, ++sent));
  }, 100);
  context.after(() => clearInterval(timer));
  await client.ended();
  clearInterval(timer);
  return sent;
}

test('a CONNECT that comes byte by byte has no longer than any other [CVE-2020-13849] [ours: slow-loris]', async (context) => {
  const { port, log } = await open(context, { global: { connectTimeout: 1 } });
  const watching = await watch(context, port, log);
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(port)));
  const bytes = connectBytes('x'.repeat(1000));
  const sent = await Promise.all(clients.map((client) => trickle(context, client, bytes)));
  for (const count of sent) assert.ok(count > 1 && count < 100, `${count} bytes`);
  await until(() => log.count(') within 1 seconds (connect_timeout).') >= 0, 'lines');
  await log.seen(/No complete CONNECT from 127\.0\.0\.1:\d+ within 1 seconds \(connect_timeout\)\./);
  await watching.over();
});

test('an authentication in steps has the time of a CONNECT for each step, however its bytes come', async (context) => {
  const steps: Plugin = {
    name: 'steps',
    authStep: (_request, _method, data) =>
      data?.toString() === 'last' ? { decision: ALLOW, data: null } : { decision: DEFER, data: Buffer.from('go on') },
  };
  const { port, log } = await open(context, { global: { connectTimeout: 1 } }, { plugins: [steps] });
  const client = await RawClient.join(port, 'steps', { properties: { authenticationMethod: 'steps' } });
  const answer = Buffer.from('f0', 'hex');
  await trickle(context, client, Buffer.concat([answer, Buffer.from([100]), Buffer.alloc(100)]));
  await log.seen('(connect_timeout)');
});

const will = (properties: Properties, fields: Partial<Will> = {}): Will => ({
  topic: 'will',
  payload: Buffer.from('gone'),
  qos: 1,
  retain: false,
  properties,
  ...fields,
});

/** Every property that a will may have. */
const WILL_PROPERTIES: Properties[] = [
  { contentType: 'text' },
  { correlationData: Buffer.from('data') },
  { responseTopic: 'answer' },
  { messageExpiryInterval: 10 },
  { payloadFormatIndicator: 1 },
  { willDelayInterval: 0 },
  { userProperties: [['a', 'b']] },
];

test('each property may be the first of a will, and its client may vanish [no CVE, 1.6.2: first will property]', async (context) => {
  const { port } = await open(context);
  const watcher = await join(context, port);
  await watcher.subscribe('will');
  for (const first of WILL_PROPERTIES) {
    for (const second of [{}, ...WILL_PROPERTIES]) {
      const client = await RawClient.join(port, 'mortal', { will: will({ ...first, ...second }) });
      client.socket.resetAndDestroy();
      const { payload, properties } = await watcher.inbox.next();
      assert.equal(payload.toString(), 'gone');
      const { willDelayInterval: _, ...wanted } = { ...first, ...second };
      assert.deepEqual(Object.keys(properties).sort(), Object.keys(wanted).sort());
    }
  }
});

test('a will property that comes twice, or where it must not, ends the connection, and is no will [CVE-2023-3592]', async (context) => {
  const { port, log } = await open(context);
  const watcher = await join(context, port);
  await watcher.subscribe('#');
  const memory = await memoryInUse();
  const good = connectBytes('mortal', { will: will({ contentType: 'text' }) });
  const at = good.indexOf(Buffer.from([0x03, 0, 4, 0x74, 0x65, 0x78, 0x74]));
  const section = good.subarray(at, at + 7);
  const withSection = (bytes: Buffer): Buffer => {
    const packet = Buffer.concat([good.subarray(0, at - 1), Buffer.from([bytes.length]), bytes, good.subarray(at + 7)]);
    packet[1] = packet.length - 2;
    return packet;
  };
  const bad = [
    Buffer.concat([section, section]),
    Buffer.from([0x01, 0, 0x01, 0]),
    Buffer.from([0x18, 0, 0, 0, 1, 0x18, 0, 0, 0, 1]),
    Buffer.from([0x01, 2]),
    Buffer.from([0x11, 0, 0, 0, 1]),
    Buffer.from([0x23, 0, 1]),
    Buffer.from([0x0b, 1]),
    Buffer.from([0x99]),
    Buffer.from([0x08, 0, 1, 0x23]),
    Buffer.from([0x03, 0, 2, 0xc3, 0x28]),
    Buffer.from([0x26, 0, 1, 0x61]),
    ...Array.from({ length: 6 }, (_, i) => section.subarray(0, i + 1)),
  ];
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      bad.map(async (bytes) => {
        const client = await RawClient.open(port);
        client.send(withSection(bytes));
        await client.ended();
      }),
    );
  }
  assert.equal(log.count('New client connected'), 1);
  await nothingCame(watcher);
  assert.ok((await memoryInUse()) - memory < 3_000_000);
});

test('a will delay beyond the end of the session, and a client that comes back in between [CVE-2019-11778]', async (context) => {
  const { port, log } = await open(context);
  const watcher = await join(context, port);
  await watcher.subscribe('will');
  const fields = {
    cleanStart: false,
    will: will({ willDelayInterval: 1000 }),
    properties: { sessionExpiryInterval: 1 },
  };
  for (let i = 0; i < 3; i++) {
    const client = await RawClient.join(port, 'mortal', fields);
    client.socket.resetAndDestroy();
    await until(() => log.count('Client mortal [') === i + 1, 'the line is broken');
  }
  // The session ends, and with it the delay: one will, of the last connection.
  assert.equal(await watcher.inbox.text(), 'will gone');
  await log.seen('Expiring client mortal due to timeout.');
  const again = await RawClient.join(port, 'mortal', { ...fields, will: null });
  again.socket.resetAndDestroy();
  await nothingCame(watcher);
});

test("a will to the broker's own topics reaches nobody [no CVE, 2.0.16: will to $CONTROL]", async (context) => {
  const { port } = await open(context);
  const watcher = await join(context, port);
  await watcher.subscribe(['$CONTROL/#', '$SYS/mine', '#']);
  for (const topic of ['$CONTROL/dynamic-security/v1', '$CONTROL/broker/v1', '$SYS/mine']) {
    const client = await RawClient.open(port);
    client.send(connectBytes('mortal', { will: will({}, { topic, retain: true }) }));
    await client.next();
    client.socket.resetAndDestroy();
  }
  const ordinary = await RawClient.join(port, 'ordinary', { will: will({}) });
  ordinary.socket.resetAndDestroy();
  const text = async (): Promise<string> => {
    const message = await watcher.inbox.text();
    return message.startsWith('$CONTROL/') ? text() : message;
  };
  // $CONTROL is no more than a topic here: nothing obeys what is published to it.
  assert.equal(await text(), 'will gone');
});

test('user properties cost in proportion to their number [no CVE, 2.0.12: many user properties]', async (context) => {
  const { port, log } = await open(context);
  const watching = await watch(context, port);
  const pairs = (count: number): [string, string][] => Array.from({ length: count }, (_, i) => [`key${i}`, 'v']);
  const client = await join(context, port);
  await client.subscribe('many');
  for (const count of [10, 100, 1000]) {
    await client.publish('many', 'x', { qos: 1, properties: { userProperties: pairs(count) } });
    assert.deepEqual((await client.inbox.next()).properties.userProperties, pairs(count));
  }
  // A CONNECT of nearly 100,000 bytes of the smallest ones is refused at the first that is too many.
  const attackers = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(port)));
  const huge = connectBytes('huge', {
    properties: { userProperties: Array.from({ length: 19_990 }, () => ['', ''] as const) },
  });
  assert.ok(huge.length < 100_000);
  for (const attacker of attackers) attacker.send(huge);
  await Promise.all(attackers.map((attacker) => attacker.ended()));
  assert.equal(log.count('more than 1000 user properties'), 50);
  const one = await join(context, port);
  await assert.rejects(
    one.publish('many', 'x', { qos: 1, properties: { userProperties: pairs(1001) } }),
    (error) => error instanceof ConnectionLost && error.reason === QUOTA_EXCEEDED,
  );
  await client.end();
  await watching.over();
});

test('bytes before CONNECT are bounded, and said to be', async (context) => {
  const { port, log } = await open(context);
  const client = await RawClient.open(port);
  client.send(connectBytes('x'.repeat(60_000), { username: 'y'.repeat(50_000) }));
  await client.ended();
  await log.seen(
    /Protocol error from 127\.0\.0\.1 \[127\.0\.0\.1:\d+\]: CONNECT of \d+ bytes is larger than the 100000 allowed\./,
  );
  assert.equal(await refusal(port), 0);
});

test('who floods with connections and says nothing costs nobody else anything', async (context) => {
  const { port, log } = await open(context, { global: { connectTimeout: 1 } });
  const watching = await watch(context, port, log);
  const sockets = Array.from({ length: 500 }, () => connectTcp({ port, host: '127.0.0.1' }));
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve) =>
          socket
            .on('error', () => undefined)
            .on('close', resolve)
            .resume(),
        ),
    ),
  );
  assert.equal(log.count('exceeded timeout'), 500);
  await watching.over();
});

test('a storm of clients that all come back and vanish leaves their sessions only', async (context) => {
  const { port, log } = await open(context, {}, { verbosity: 'configured' });
  const watching = await watch(context, port, log);
  const storm = async (): Promise<void> => {
    const clients = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        RawClient.join(port, `storm-${i}`, { profile: MQTT311, cleanStart: false }),
      ),
    );
    for (const client of clients) {
      client.send(publishBytes(MQTT311, 'storm', 'x', 2, 7));
      client.socket.destroy();
    }
  };
  await storm();
  const memory = await memoryInUse();
  for (let i = 0; i < 5; i++) await storm();
  await watching.over();
  assert.ok((await memoryInUse()) - memory < 3_000_000);
});
