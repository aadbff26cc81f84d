// $SYS: the whole list, with values that follow from known traffic.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReceivedMessage } from '../../src/client/options.ts';
import { MQTT311 } from '../../src/protocol/version.ts';
import { freePort } from '../support/free-port.ts';
import { publishBytes, RawClient } from '../support/raw-client.ts';
import { type Joined, join, nothingCame, open, openFile } from './harness.ts';

const LOADS = [
  'messages/received',
  'messages/sent',
  'publish/dropped',
  'publish/received',
  'publish/sent',
  'bytes/received',
  'bytes/sent',
  'sockets',
  'connections',
];
const PACKETS = [
  ...['connect', 'connack', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'subscribe', 'suback', 'unsubscribe'],
  ...['unsuback', 'pingreq', 'pingresp', 'disconnect', 'auth'],
];

/** What Mosquitto publishes, and the packet counters that its manual promises. */
const TOPICS = [
  'version',
  'uptime',
  ...['total', 'maximum', 'connected', 'active', 'disconnected', 'inactive', 'expired'].map(
    (name) => `clients/${name}`,
  ),
  ...['received', 'sent', 'stored'].map((name) => `messages/${name}`),
  'store/messages/count',
  'store/messages/bytes',
  'retained messages/count',
  'subscriptions/count',
  'shared_subscriptions/count',
  ...['received', 'sent', 'dropped'].map((name) => `publish/messages/${name}`),
  ...['publish/bytes', 'bytes'].flatMap((name) => [`${name}/received`, `${name}/sent`]),
  'packet/out/count',
  'packet/out/bytes',
  'connections/socket/count',
  'heap/current',
  'heap/maximum',
  ...LOADS.flatMap((name) => ['1min', '5min', '15min'].map((period) => `load/${name}/${period}`)),
  ...PACKETS.flatMap((name) => [`mqtt/${name}/received`, `mqtt/${name}/sent`]),
].map((topic) => `$SYS/broker/${topic}`);

/** Collects $SYS values until this holds for them. */
async function collect(client: Joined, holds: (values: Map<string, string>) => boolean): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  while (!holds(values)) {
    const { topic, payload } = await client.inbox.next();
    values.set(topic, payload.toString());
  }
  return values;
}

// Each waits for the clock, so they wait together.
describe('the $SYS tree', { concurrency: true }, () => {
  it('the whole tree is there, retained, and tells what happened', async (context) => {
    const { port } = await open(context, { global: { sysInterval: 1, maxQueuedMessages: 1, maxInflightMessages: 1 } });
    const away = await join(context, port, {
      clientId: 'away',
      cleanStart: false,
      properties: { sessionExpiryInterval: 100 },
    });
    await away.subscribe({ filter: 'for/away', qos: 1 });
    await away.end();
    const raw = await RawClient.join(port, 'raw', { profile: MQTT311 });
    await raw.subscribe('$share/g/x');
    raw.send(Buffer.from([0xc0, 0x00]));
    await raw.next();
    raw.send(publishBytes(MQTT311, 'kept', Buffer.alloc(100)).fill(0x31, 0, 1));
    // One is kept for the absent client, the others are dropped.
    for (let id = 1; id <= 3; id++) {
      raw.send(publishBytes(MQTT311, 'for/away', 'abc', 1, id));
      await raw.next();
    }
    const watcher = await join(context, port, { clientId: 'watcher', version: '3.1.1' });
    await watcher.subscribe('$SYS/broker/#');
    const total = '$SYS/broker/clients/total';
    const before = await collect(
      watcher,
      (seen) => TOPICS.every((topic) => seen.has(topic)) && seen.get(total) === '3',
    );
    // An update begins with the uptime: when the next one comes, this one is complete.
    const rest = await collect(watcher, (seen) => seen.has('$SYS/broker/uptime'));
    const values = new Map([...before, ...rest]);
    assert.deepEqual([...values.keys()].sort(), [...TOPICS].sort());
    const value = (topic: string): string | undefined => values.get(`$SYS/broker/${topic}`);
    assert.match(value('version') ?? '', /^mqtt-broker version \d+\.\d+\.\d+/);
    assert.match(value('uptime') ?? '', /^\d+ seconds$/);
    const expected: Record<string, string> = {
      'clients/total': '3',
      'clients/maximum': '2',
      'clients/connected': '2',
      'clients/active': '2',
      'clients/disconnected': '1',
      'clients/inactive': '1',
      'clients/expired': '0',
      'publish/messages/received': '4',
      'publish/bytes/received': '109',
      'publish/messages/dropped': '2',
      'subscriptions/count': '2',
      'shared_subscriptions/count': '1',
      'connections/socket/count': '3',
      'mqtt/connect/received': '3',
      'mqtt/connack/sent': '3',
      'mqtt/connect/sent': '0',
      'mqtt/publish/received': '4',
      'mqtt/puback/sent': '3',
      'mqtt/subscribe/received': '3',
      'mqtt/suback/sent': '3',
      'mqtt/pingreq/received': '1',
      'mqtt/pingresp/sent': '1',
      'mqtt/disconnect/received': '1',
      'mqtt/auth/received': '0',
      'packet/out/count': '0',
    };
    const actual = Object.fromEntries(Object.keys(expected).map((topic) => [topic, value(topic)]));
    assert.deepEqual(actual, expected);
    assert.equal(value('messages/stored'), value('store/messages/count'));
    assert.ok(Number(value('store/messages/bytes')) >= 100);
    assert.ok(Number(value('heap/maximum')) >= Number(value('heap/current')));
    assert.ok(Number(value('heap/current')) > 1_000_000);
    for (const topic of values.keys()) {
      if (topic.startsWith('$SYS/broker/load/')) assert.match(values.get(topic)!, /^\d+\.\d\d$/);
    }
    assert.ok(Number(value('load/publish/received/1min')) > 0);
  });

  it('retained messages are counted with the tree itself', async (context) => {
    const { port } = await open(context, { global: { sysInterval: 1 } });
    const client = await join(context, port);
    const topic = '$SYS/broker/retained messages/count';
    await client.subscribe([topic, '$SYS/broker/uptime', '$SYS/broker/load/sockets/1min']);
    // The averages come with the second update, and are retained like the rest.
    await collect(client, (seen) => seen.has('$SYS/broker/load/sockets/1min'));
    const settled = Number((await collect(client, (seen) => seen.has(topic))).get(topic));
    await client.publish('a', 'kept', { retain: true, qos: 1 });
    assert.equal(Number((await collect(client, (seen) => seen.has(topic))).get(topic)), settled + 1);
    await client.publish('a', '', { retain: true, qos: 1 });
    assert.equal(Number((await collect(client, (seen) => seen.has(topic))).get(topic)), settled);
  });

  it('only what changed is published again, and # does not match it', async (context) => {
    const { port } = await open(context, { global: { sysInterval: 1 } });
    const all = await join(context, port);
    await all.subscribe(['#', '+/broker/#', '+/broker/uptime']);
    const watcher = await join(context, port, { keepAlive: 0 });
    await watcher.subscribe('$SYS/broker/#');
    const live: ReceivedMessage[] = [];
    const uptimes = () => live.filter(({ topic }) => topic.endsWith('/uptime')).length;
    while (uptimes() < 3) {
      const message = await watcher.inbox.next();
      if (!message.retain) live.push(message);
    }
    // Between the second and the third update nothing came or went but the updates themselves.
    const last = live.slice(live.map(({ topic }) => topic).lastIndexOf('$SYS/broker/uptime'));
    for (const quiet of ['version', 'clients/total', 'mqtt/connect/received', 'subscriptions/count']) {
      assert.equal(
        last.some(({ topic }) => topic === `$SYS/broker/${quiet}`),
        false,
        quiet,
      );
    }
    const values = new Map<string, string>();
    for (const { topic, payload } of live) {
      assert.notEqual(values.get(topic), payload.toString(), topic);
      values.set(topic, payload.toString());
    }
    await nothingCame(all);
  });

  it('sys_interval 0 turns the tree off, and a reload turns it on and off', async (context) => {
    const lines = [`listener ${await freePort()} 127.0.0.1`, 'allow_anonymous true'];
    const { port, reload } = await openFile(context, [...lines, 'sys_interval 0']);
    const client = await join(context, port);
    await client.subscribe('$SYS/#');
    await nothingCame(client);
    await reload([...lines, 'sys_interval 1']);
    assert.equal((await client.inbox.next()).topic, '$SYS/broker/version');
    await collect(client, (seen) => seen.has('$SYS/broker/uptime'));
    await reload([...lines, 'sys_interval 0']);
    const quiet = await join(context, port);
    await quiet.subscribe('$SYS/broker/uptime');
    assert.equal((await quiet.inbox.next()).retain, true);
    await nothingCame(quiet);
  });

  it('nobody but the broker writes below $SYS', async (context) => {
    const { port } = await open(context, { global: { sysInterval: 0 } });
    const client = await join(context, port, {
      will: { topic: '$SYS/broker/version', payload: Buffer.from('forged'), qos: 0, retain: true, properties: {} },
    });
    const watcher = await join(context, port);
    await watcher.subscribe('$SYS/#');
    assert.equal((await client.publish('$SYS/broker/version', 'forged', { qos: 1, retain: true })).reason.code, 0x87);
    await client.end(4);
    await nothingCame(watcher);
  });
});
