// What MQTT 5 adds, as client libraries see it.
import assert from 'node:assert/strict';
import type { Properties } from '../../src/protocol/properties.ts';
import type { LibraryScenario, Stage } from './library-stage.ts';

const FIVE_ONLY = [5] as const;

async function retainHandling(stage: Stage): Promise<void> {
  const writer = await stage.dial();
  const topic = stage.topic('kept');
  await writer.publish(topic, 'state', { qos: 1, retain: true });
  const reader = await stage.dial();
  const mark = (text: string) => writer.publish(topic, text, { qos: 1 });
  await reader.subscribe([{ filter: topic, qos: 1, retainHandling: 2 }]);
  await mark('never');
  await reader.subscribe([{ filter: topic, qos: 1, retainHandling: 1 }]);
  await mark('not again');
  await reader.subscribe([{ filter: topic, qos: 1, retainHandling: 0 }]);
  await mark('always');
  await stage.expect(reader, 'kept never 1', 'kept not again 1', 'kept state 1 retained', 'kept always 1');
  await reader.unsubscribe([topic]);
  await reader.subscribe([{ filter: topic, qos: 1, retainHandling: 1 }]);
  await stage.expect(reader, 'kept state 1 retained');
}

async function retainAsPublished(stage: Stage): Promise<void> {
  const reader = await stage.dial();
  await reader.subscribe([
    { filter: stage.topic('as/published'), qos: 1, retainAsPublished: true },
    { filter: stage.topic('as/ever'), qos: 1 },
  ]);
  const writer = await stage.dial();
  for (const name of ['as/published', 'as/ever']) {
    await writer.publish(stage.topic(name), 'x', { qos: 1, retain: true });
    await writer.publish(stage.topic(name), 'y', { qos: 1 });
  }
  await stage.expect(reader, 'as/published x 1 retained', 'as/published y 1', 'as/ever x 1', 'as/ever y 1');
}

async function noLocal(stage: Stage): Promise<void> {
  const player = await stage.dial();
  await player.subscribe([{ filter: stage.topic('t'), qos: 1, noLocal: true }]);
  await player.publish(stage.topic('t'), 'mine', { qos: 1 });
  const other = await stage.dial();
  await other.publish(stage.topic('t'), 'theirs', { qos: 1 });
  await stage.expect(player, 't theirs 1');
}

/** DISCONNECT with will; a will that waits, one that waits no longer than its session, one that is taken back. */
async function willsOfFive(stage: Stage): Promise<void> {
  const watcher = await stage.reader(['will/+', 1]);
  const will = (name: string, willDelayInterval: number) => {
    return { topic: stage.topic(`will/${name}`), payload: 'gone', qos: 1, properties: { willDelayInterval } } as const;
  };
  const id = stage.newId();
  const back = await stage.dial({ id, will: will('back', 1), properties: { sessionExpiryInterval: 60 } });
  const late = await stage.dial({ will: will('late', 2), properties: { sessionExpiryInterval: 60 } });
  const bound = await stage.dial({ will: will('bound', 60), properties: { sessionExpiryInterval: 1 } });
  const said = await stage.dial({ will: will('said', 0) });
  await back.cut();
  await stage.dial({ id, clean: false, properties: { sessionExpiryInterval: 60 } });
  await said.end(4);
  await stage.expect(watcher, 'will/said gone 1');
  await bound.cut();
  await stage.expect(watcher, 'will/bound gone 1');
  await late.cut();
  await stage.expect(watcher, 'will/late gone 1');
}

async function sessionExpiry(stage: Stage): Promise<void> {
  const id = stage.newId();
  const first = await stage.dial({ id, properties: { sessionExpiryInterval: 600 } });
  await first.end();
  const second = await stage.dial({ id, clean: false, properties: { sessionExpiryInterval: 600 } });
  assert.equal(second.present, true);
  await second.end(0, { sessionExpiryInterval: 0 });
  const third = await stage.dial({ id, clean: false });
  assert.equal(third.present, false);
}

/** The will of another client, two seconds late, tells when a message of one second has expired. */
async function messageExpiry(stage: Stage): Promise<void> {
  const id = stage.newId();
  const first = await stage.dial(stage.lasting(id));
  await first.subscribe([{ filter: stage.topic('queue/#'), qos: 1 }]);
  await first.end();
  const clock = await stage.reader(['clock', 0]);
  const writer = await stage.dial();
  const send = (name: string, messageExpiryInterval: number, retain = false) =>
    writer.publish(stage.topic(name), 'x', { qos: 1, retain, properties: { messageExpiryInterval } });
  await send('queue/short', 1);
  await send('queue/long', 600);
  await send('kept/short', 1, true);
  await send('kept/long', 600, true);
  const will = { topic: stage.topic('clock'), payload: '', properties: { willDelayInterval: 3 } };
  const bell = await stage.dial({ will, properties: { sessionExpiryInterval: 60 } });
  await bell.cut();
  await clock.next();
  const again = await stage.dial(stage.lasting(id));
  await again.subscribe([{ filter: stage.topic('kept/#'), qos: 1 }]);
  for (const name of ['queue/long', 'kept/long']) {
    const { topic, properties } = await again.next();
    const left = properties.messageExpiryInterval ?? 0;
    assert.equal(topic, stage.topic(name));
    assert.ok(left > 500 && left < 600, `${left} seconds are left of 600`);
  }
}

async function subscriptionIdentifiers(stage: Stage): Promise<void> {
  const reader = await stage.dial();
  await reader.subscribe([{ filter: stage.topic('a/#'), qos: 1 }], { subscriptionIdentifier: 1 });
  await reader.subscribe([{ filter: stage.topic('a/b'), qos: 1 }], { subscriptionIdentifier: 268_435_455 });
  await reader.subscribe([{ filter: stage.topic('end'), qos: 1 }]);
  for (const name of ['a/b', 'a/c', 'end']) await reader.publish(stage.topic(name), '-', { qos: 1 });
  // A broker may send a message once for all matching filters or once for each.
  const found: Record<string, number[]> = {};
  for (let name = ''; name !== 'end'; ) {
    const { topic, properties } = await reader.next();
    name = topic.slice(stage.topic('').length);
    found[name] = [...(found[name] ?? []), ...(properties.subscriptionIdentifiers ?? [])].sort();
  }
  assert.deepEqual(found, { 'a/b': [1, 268_435_455], 'a/c': [1], end: [] });
}

async function sharedSubscription(stage: Stage): Promise<void> {
  const members = await Promise.all([stage.dial(), stage.dial(), stage.dial()]);
  const filter = `$share/group/${stage.topic('jobs/+')}`;
  for (const member of members) {
    await member.subscribe([
      { filter, qos: 1 },
      { filter: stage.topic('end'), qos: 1 },
    ]);
  }
  const writer = await stage.dial();
  const jobs = Array.from({ length: 30 }, (_none, i) => `jobs/${i}`);
  for (const job of jobs) await writer.publish(stage.topic(job), 'x', { qos: 1 });
  await writer.publish(stage.topic('end'), 'x', { qos: 1 });
  const done: string[] = [];
  for (const member of members) {
    const before = done.length;
    for (let shown = await member.next(); shown.topic !== stage.topic('end'); shown = await member.next()) {
      done.push(shown.topic);
    }
    assert.ok(done.length > before, 'a member got nothing');
  }
  assert.deepEqual(done.sort(), jobs.map((job) => stage.topic(job)).sort());
}

const MESSAGE: Properties = {
  payloadFormatIndicator: 1,
  contentType: 'text/plain',
  responseTopic: 'answers/here',
  correlationData: Buffer.from([0, 1, 254, 255]),
};

/** Checks that what came holds what was sent, user properties in their order. */
function carries(found: Properties, sent: Properties): void {
  for (const [name, value] of Object.entries(sent)) {
    assert.deepEqual((found as Record<string, unknown>)[name], value, name);
  }
}

async function messageProperties(stage: Stage): Promise<void> {
  const reader = await stage.reader(['+', 1]);
  const pairs = ['z', 'a', 'm', 'b'].map((name, i): [string, string] => [name, `${i} ü`]);
  const sent: Properties = { ...MESSAGE, userProperties: pairs };
  await reader.publish(stage.topic('t'), 'x', { qos: 1, properties: sent });
  carries((await reader.next()).properties, sent);
  const dying = await stage.dial({ will: { topic: stage.topic('will'), payload: 'w', properties: sent } });
  await dying.cut();
  const { topic, properties } = await reader.next();
  assert.equal(topic, stage.topic('will'));
  carries(properties, sent);
}

async function repeatedUserProperties(stage: Stage): Promise<void> {
  const reader = await stage.reader(['t', 1]);
  const userProperties = ['b', 'a', 'b', 'c', 'a'].map((name, i): [string, string] => [name, String(i)]);
  await reader.publish(stage.topic('t'), 'x', { qos: 1, properties: { userProperties } });
  carries((await reader.next()).properties, { userProperties });
}

async function requestResponse(stage: Stage): Promise<void> {
  const [asking, answering] = [await stage.reader(['answers/1', 1]), await stage.reader(['questions', 1])];
  const correlationData = Buffer.from('c-17');
  const responseTopic = stage.topic('answers/1');
  await asking.publish(stage.topic('questions'), 'what?', { qos: 1, properties: { responseTopic, correlationData } });
  const { properties } = await answering.next();
  const reply = { correlationData: properties.correlationData ?? Buffer.alloc(0) };
  await answering.publish(properties.responseTopic ?? '', 'this', { qos: 1, properties: reply });
  const answer = await asking.next();
  assert.deepEqual([answer.payload, answer.properties.correlationData], ['this', correlationData]);
}

async function receiveMaximum(stage: Stage): Promise<void> {
  const reader = await stage.dial({ properties: { receiveMaximum: 1 } });
  await reader.subscribe([{ filter: stage.topic('t'), qos: 2 }]);
  const writer = await stage.dial();
  const texts = Array.from({ length: 40 }, (_none, i) => `${i}`);
  // One after the other: between messages of different QoS no order is promised to a publisher.
  for (const [i, text] of texts.entries()) await writer.publish(stage.topic('t'), text, { qos: i % 2 === 0 ? 1 : 2 });
  await stage.expect(reader, ...texts.map((text, i) => `t ${text} ${i % 2 === 0 ? 1 : 2}`));
}

/** A library that is given more messages at once than the broker takes keeps them until it may send them. */
async function receiveMaximumOfBroker(stage: Stage): Promise<void> {
  const reader = await stage.reader(['t', 2]);
  const writer = await stage.dial();
  assert.equal(writer.properties.receiveMaximum, 20);
  const texts = Array.from({ length: 100 }, (_none, i) => `${i}`);
  await Promise.all(texts.map((text) => writer.publish(stage.topic('t'), text, { qos: 2 })));
  await stage.expect(reader, ...texts.map((text) => `t ${text} 2`));
}

async function maximumPacketSize(stage: Stage): Promise<void> {
  const reader = await stage.dial({ properties: { maximumPacketSize: 200 } });
  await reader.subscribe([{ filter: stage.topic('t'), qos: 2 }]);
  const writer = await stage.dial();
  for (const qos of [0, 1, 2] as const) {
    await writer.publish(stage.topic('t'), 'x'.repeat(201), { qos });
    await writer.publish(stage.topic('t'), 'small', { qos });
  }
  await stage.expect(reader, 't small 0', 't small 1', 't small 2');
}

async function aliasesOut(stage: Stage): Promise<void> {
  const reader = await stage.reader(['#', 1]);
  const writer = await stage.dial();
  assert.ok((writer.properties.topicAliasMaximum ?? 0) >= 2);
  const send = (topic: string, payload: string, topicAlias: number) =>
    writer.publish(topic, payload, { qos: 1, properties: { topicAlias } });
  await send(stage.topic('a'), '1', 1);
  await send(stage.topic('b'), '2', 2);
  await send('', '3', 1);
  await send('', '4', 2);
  await send(stage.topic('c'), '5', 1);
  await send('', '6', 1);
  await stage.expect(reader, 'a 1 1', 'b 2 1', 'a 3 1', 'b 4 1', 'c 5 1', 'c 6 1');
}

async function aliasesIn(stage: Stage): Promise<void> {
  const reader = await stage.dial({ properties: { topicAliasMaximum: 2 } });
  await reader.subscribe([{ filter: stage.topic('#'), qos: 1 }]);
  const writer = await stage.dial();
  const names = ['a', 'b', 'c', 'a', 'b', 'c', 'c', 'a'];
  for (const name of names) await writer.publish(stage.topic(name), 'x', { qos: 1 });
  await stage.expect(reader, ...names.map((name) => `${name} x 1`));
}

async function assignedId(stage: Stage): Promise<void> {
  const [one, two] = [await stage.dial({ id: '' }), await stage.dial({ id: '' })];
  const ids = [one, two].map(({ properties }) => properties.assignedClientIdentifier ?? '');
  assert.ok(ids.every((id) => id.length > 0) && ids[0] !== ids[1], ids.join());
}

async function publishCodes(stage: Stage): Promise<void> {
  const tom = await stage.dial({ username: 'tom', password: 'secret' }, stage.places.guarded);
  assert.ok([0x10, null].includes(await tom.publish(stage.topic('nobody'), 'x', { qos: 1 })));
  for (const qos of [1, 2] as const) assert.equal(await tom.publish('forbidden/a', 'x', { qos }), 0x87);
}

/** Scenarios of MQTT 5. */
export const FIVE: readonly LibraryScenario[] = [
  { name: 'retain handling', levels: FIVE_ONLY, play: retainHandling },
  { name: 'retain as published', levels: FIVE_ONLY, play: retainAsPublished },
  { name: 'no local', levels: FIVE_ONLY, play: noLocal },
  { name: 'wills with a delay and at DISCONNECT', levels: FIVE_ONLY, play: willsOfFive },
  { name: 'session expiry, changed at DISCONNECT', levels: FIVE_ONLY, play: sessionExpiry },
  { name: 'message expiry', levels: FIVE_ONLY, play: messageExpiry },
  { name: 'subscription identifiers', levels: FIVE_ONLY, play: subscriptionIdentifiers },
  { name: 'a shared subscription divides the messages', levels: FIVE_ONLY, play: sharedSubscription },
  { name: 'properties of messages and wills', levels: FIVE_ONLY, play: messageProperties },
  {
    name: 'user properties of the same name keep their order',
    levels: FIVE_ONLY,
    needs: ['repeated user properties'],
    play: repeatedUserProperties,
  },
  { name: 'request and response', levels: FIVE_ONLY, play: requestResponse },
  { name: 'a receive maximum of 1', levels: FIVE_ONLY, play: receiveMaximum },
  {
    name: 'the receive maximum of the broker',
    levels: FIVE_ONLY,
    needs: ['the receive maximum of the broker'],
    play: receiveMaximumOfBroker,
  },
  { name: 'a maximum packet size', levels: FIVE_ONLY, play: maximumPacketSize },
  { name: 'topic aliases of the client', levels: FIVE_ONLY, play: aliasesOut },
  { name: 'topic aliases of the broker', levels: FIVE_ONLY, play: aliasesIn },
  { name: 'assigned client identifiers', levels: FIVE_ONLY, play: assignedId },
  { name: 'reason codes of publish', levels: FIVE_ONLY, needs: ['reason codes of publish'], play: publishCodes },
];
