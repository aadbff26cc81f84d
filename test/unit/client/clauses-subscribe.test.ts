// What the standards ask of a client that subscribes: topic filters, options, and the two packets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidRequest } from '../../../src/client/index.ts';
import type { SubscribeFilter } from '../../../src/client/options.ts';
import { SUBSCRIBE, UNSUBSCRIBE } from '../../../src/protocol/constants.ts';
import { setUp, turns } from './setup.ts';

const VERSIONS = ['3.1.1', '5'] as const;

test('topic filters are proper strings, with wildcards where these may be [MQTT-3.8.3-1, MQTT-3.10.3-1, MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT-4.7.3-1, MQTT-4.7.3-2, MQTT-4.7.3-3, MQTT3-3.8.3-1, MQTT3-3.10.3-1, MQTT3-4.7.1-2, MQTT3-4.7.1-3, MQTT3-4.7.3-1, MQTT3-4.7.3-2, MQTT3-4.7.3-3]', async (context) => {
  const bad = ['', 'a#', '#/a', 'a/#/b', 'a+', '+a/b', 'a/b+', '\ud800', 'a\0', 'x'.repeat(65_536)];
  const good = ['#', '+', '/', 'a/#', '+/+', '+/a/#', '/+', 'x'.repeat(65_535)];
  for (const version of VERSIONS) {
    const { client, side } = await setUp(context, { version });
    for (const filter of bad) {
      await assert.rejects(client.subscribe(filter), InvalidRequest);
      await assert.rejects(client.subscribe(['fine', filter]), InvalidRequest);
      await assert.rejects(client.unsubscribe(filter), InvalidRequest);
    }
    for (const filter of good) {
      void client.subscribe(filter);
      void client.unsubscribe(filter);
      assert.equal((await side.next(SUBSCRIBE)).subscriptions[0]?.filter, filter);
      assert.deepEqual((await side.next(UNSUBSCRIBE)).filters, [filter]);
    }
  }
});

test('there is at least one topic filter [MQTT-3.8.3-2, MQTT-3.10.3-2, MQTT3-3.8.3-3, MQTT3-3.10.3-2]', async (context) => {
  for (const version of VERSIONS) {
    const { client, side } = await setUp(context, { version });
    await assert.rejects(client.subscribe([]), InvalidRequest);
    await assert.rejects(client.unsubscribe([]), InvalidRequest);
    await turns();
    assert.equal(side.untaken, 0);
  }
});

test('5: the options byte has its bits and no others; no local stays away from shared subscriptions [MQTT-3.8.3-4, MQTT-3.8.3-5]', async (context) => {
  const { client, side } = await setUp(context);
  const all: SubscribeFilter = { filter: 'a', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 };
  void client.subscribe([all, { filter: 'b', qos: 1, retainHandling: 1 }, 'c']);
  await side.next(SUBSCRIBE);
  assert.equal(side.lastBytes, '820f000100' + '0001612e' + '00016211' + '00016300');
  await assert.rejects(client.subscribe({ filter: '$share/g/a', noLocal: true }), InvalidRequest);
  for (const wrong of [{ qos: 3 }, { qos: -1 }, { qos: 1.5 }, { retainHandling: 3 }, { retainHandling: 16 }]) {
    await assert.rejects(client.subscribe({ filter: 'a', ...wrong }), InvalidRequest);
  }
  await turns();
  assert.equal(side.untaken, 0);
});

test('3.1.1: the requested QoS stands alone in its byte and is not 3 [MQTT3-3.8.3-4]', async (context) => {
  const { client, side } = await setUp(context, { version: '3.1.1' });
  const options = { noLocal: true, retainAsPublished: true, retainHandling: 2 };
  void client.subscribe([{ filter: 'a', qos: 2, ...options }, 'b']);
  await side.next(SUBSCRIBE);
  assert.equal(side.lastBytes, '820a000100016102' + '00016200');
  await assert.rejects(client.subscribe({ filter: 'a', qos: 3 }), InvalidRequest);
});

test('5: a shared subscription has a share name and a filter [MQTT-4.8.2-1, MQTT-4.8.2-2]', async (context) => {
  const { client, side } = await setUp(context);
  for (const filter of ['$share', '$share/', '$share/g', '$share/g/', '$share//a', '$share/g+/a', '$share/#/a']) {
    await assert.rejects(client.subscribe(filter), InvalidRequest);
  }
  void client.subscribe('$share/g//');
  assert.equal((await side.next(SUBSCRIBE)).subscriptions[0]?.filter, '$share/g//');
  await turns();
  assert.equal(side.untaken, 0);
});
