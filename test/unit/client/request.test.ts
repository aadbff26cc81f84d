import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLost, InvalidRequest, request } from '../../../src/client/index.ts';
import { PUBACK, PUBLISH, SUBACK, SUBSCRIBE } from '../../../src/protocol/constants.ts';
import { NO_PROPERTIES } from '../../../src/protocol/properties.ts';
import type { BrokerSide, SeenPublish } from './scripted-broker.ts';
import { setUp, turns } from './setup.ts';

const ask = { topic: 'question', payload: 'why?', responseTopic: 'answer/1' };

async function take(side: BrokerSide): Promise<SeenPublish> {
  const { id, subscriptions } = await side.next(SUBSCRIBE);
  assert.equal(subscriptions[0]?.filter, 'answer/1');
  side.send({ type: SUBACK, id, codes: [0], properties: NO_PROPERTIES });
  return side.next(PUBLISH);
}

test('the answer is the message with our correlation data', async (context) => {
  const { client, side } = await setUp(context);
  const answer = request(client, ask);
  const question = await take(side);
  const { responseTopic, correlationData } = question.properties;
  assert.deepEqual([question.topic, question.payload, responseTopic], ['question', 'why?', 'answer/1']);
  assert.ok(correlationData !== undefined);
  assert.match(correlationData.toString(), /^[0-9a-f]{32}$/);
  side.publish({ topic: 'elsewhere', payload: 'no' });
  side.publish({ topic: 'answer/1', payload: 'old', retain: true });
  side.publish({ topic: 'answer/1', payload: 'not ours', properties: { correlationData: Buffer.from('x') } });
  side.publish({ topic: 'answer/1', payload: 'because', properties: { correlationData } });
  assert.equal((await answer).payload.toString(), 'because');
});

test('an answer without correlation data is taken; own properties go along', async (context) => {
  const { client, side } = await setUp(context);
  const properties = { correlationData: Buffer.from('mine'), contentType: 't' };
  const answer = request(client, { ...ask, qos: 1, properties });
  const question = await take(side);
  assert.deepEqual(question.properties, { ...properties, responseTopic: 'answer/1' });
  side.publish({ topic: 'answer/1', payload: 'because' });
  side.send({ type: PUBACK, id: question.id, code: 0, properties: NO_PROPERTIES });
  assert.equal((await answer).payload.toString(), 'because');
});

test('before MQTT 5 the topic alone decides, and a retained answer counts where it may', async (context) => {
  const { client, side } = await setUp(context, { version: '3.1.1' });
  const answer = request(client, { ...ask, acceptRetained: true });
  await take(side);
  side.publish({ topic: 'answer/1', payload: 'old', retain: true });
  assert.equal((await answer).payload.toString(), 'old');
});

test('a refused subscription or request rejects with the reason', async (context) => {
  const { client, side } = await setUp(context);
  const first = request(client, ask);
  const { id } = await side.next(SUBSCRIBE);
  side.send({ type: SUBACK, id, codes: [0x87], properties: NO_PROPERTIES });
  await assert.rejects(first, (error) => error instanceof InvalidRequest && error.reason.code === 0x87);
  const second = request(client, { ...ask, qos: 1 });
  const question = await take(side);
  side.send({ type: PUBACK, id: question.id, code: 0x97, properties: NO_PROPERTIES });
  await assert.rejects(second, (error) => error instanceof InvalidRequest && error.reason.code === 0x97);
});

test('a request ends with its signal, and with its client', async (context) => {
  const { client, side } = await setUp(context);
  const abort = new AbortController();
  const given = request(client, { ...ask, signal: abort.signal });
  await take(side);
  abort.abort(new Error('no patience'));
  await assert.rejects(given, /no patience/);
  await assert.rejects(request(client, { ...ask, signal: abort.signal }), /no patience/);
  const lost = request(client, ask);
  await turns();
  side.transport.destroy();
  await assert.rejects(lost, ConnectionLost);
});
