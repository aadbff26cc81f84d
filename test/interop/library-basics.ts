// What every version of MQTT promises, as client libraries see it.
import assert from 'node:assert/strict';
import type { LibraryScenario, Stage } from './library-stage.ts';
import { Refused } from './player.ts';

const QOS = [0, 1, 2] as const;

async function everyQos(stage: Stage): Promise<void> {
  const reader = await stage.reader(['low/#', 0], ['middle/#', 1], ['high/#', 2]);
  const writer = await stage.dial();
  for (const qos of QOS) {
    for (const [branch, granted] of [
      ['low', 0],
      ['middle', 1],
      ['high', 2],
    ] as const) {
      await writer.publish(stage.topic(`${branch}/${qos}`), `grüße ${qos}`, { qos });
      await stage.expect(reader, `${branch}/${qos} grüße ${qos} ${Math.min(qos, granted)}`);
    }
  }
}

async function retained(stage: Stage): Promise<void> {
  const writer = await stage.dial();
  const keep = (topic: string, payload: string) =>
    writer.publish(stage.topic(topic), payload, { qos: 1, retain: true });
  await keep('a', 'first');
  await keep('a', 'second');
  await keep('b', 'gone');
  await keep('b', '');
  const reader = await stage.reader(['+', 1]);
  await stage.expect(reader, 'a second 1 retained');
  await keep('a', 'third');
  await keep('a', '');
  await stage.expect(reader, 'a third 1', 'a  1');
  const late = await stage.reader(['#', 1]);
  await writer.publish(stage.topic('live'), 'x', { qos: 1 });
  await stage.expect(late, 'live x 1');
}

async function wildcards(stage: Stage): Promise<void> {
  const reader = await stage.reader(['one/+/c', 1], ['wild/#', 1], ['+/+', 1]);
  const writer = await stage.dial();
  for (const name of ['one/b/c', 'one/b/x/c', 'wild', 'wild/a/b', 'a/b', '/c', 'one//c']) {
    await writer.publish(stage.topic(name), '-', { qos: 1 });
  }
  await writer.publish(`$${stage.topic('hidden')}`, '-', { qos: 1 });
  await writer.publish(stage.topic('wild/end'), '-', { qos: 1 });
  const seen = new Set<string>();
  for (let shown = ''; shown !== 'wild/end - 1'; ) {
    shown = stage.shown(await reader.next());
    seen.add(shown);
  }
  const names = ['one/b/c', 'wild', 'wild/a/b', 'a/b', '/c', 'one//c', 'wild/end'];
  assert.deepEqual(
    [...seen],
    names.map((name) => `${name} - 1`),
  );
}

async function wills(stage: Stage): Promise<void> {
  const watcher = await stage.reader(['+', 1]);
  const will = (name: string) => ({ topic: stage.topic(name), payload: 'gone', qos: 1, retain: true }) as const;
  const polite = await stage.dial({ will: will('polite') });
  await polite.end();
  const dying = await stage.dial({ will: will('dying') });
  await dying.cut();
  await stage.expect(watcher, 'dying gone 1');
  await stage.expect(await stage.reader(['+', 1]), 'dying gone 1 retained');
  await watcher.publish(stage.topic('dying'), '', { qos: 1, retain: true });
}

async function sessions(stage: Stage): Promise<void> {
  const id = stage.newId();
  const first = await stage.dial(stage.lasting(id, stage.level === 5));
  assert.equal(first.present, false);
  await first.subscribe([{ filter: stage.topic('queue/#'), qos: 2 }]);
  await first.end();
  const writer = await stage.dial();
  const sent = ([1, 2, 1, 2, 1] as const).map((qos, i) => ({ qos, text: String(i) }));
  for (const { qos, text } of sent) await writer.publish(stage.topic(`queue/${text}`), text, { qos });
  const again = await stage.dial(stage.lasting(id));
  // MQTT 3.1 cannot say that a session is present.
  assert.equal(again.present, stage.level > 3);
  // Libraries may hand out QoS 2 at PUBLISH or at PUBREL: there is one order of each QoS only.
  const found: string[] = [];
  for (let i = 0; i < 5; i++) found.push(stage.shown(await again.next()));
  for (const qos of [1, 2]) {
    const mine = found.filter((text) => text.endsWith(` ${qos}`));
    assert.deepEqual(
      mine,
      sent.filter((one) => one.qos === qos).map((one) => `queue/${one.text} ${one.text} ${qos}`),
    );
  }
  await again.end();
  const fresh = await stage.dial({ id });
  assert.equal(fresh.present, false);
  await fresh.subscribe([{ filter: stage.topic('other'), qos: 1 }]);
  await writer.publish(stage.topic('queue/1'), 'lost', { qos: 1 });
  await writer.publish(stage.topic('other'), 'x', { qos: 1 });
  await stage.expect(fresh, 'other x 1');
}

async function takeOver(stage: Stage): Promise<void> {
  const id = stage.newId();
  const first = await stage.dial({ id });
  const over = first.gone();
  const second = await stage.dial({ id });
  assert.equal(await over, stage.level === 5 && stage.keeps('the reason of a take-over') ? 0x8e : null);
  await second.subscribe([{ filter: stage.topic('t'), qos: 1 }]);
  await second.publish(stage.topic('t'), 'mine', { qos: 1 });
  await stage.expect(second, 't mine 1');
}

async function unsubscribing(stage: Stage): Promise<void> {
  const reader = await stage.reader(['a', 1], ['b', 1], ['end', 1]);
  const writer = await stage.dial();
  await reader.unsubscribe([stage.topic('a'), stage.topic('never')]);
  for (const name of ['a', 'b', 'end']) await writer.publish(stage.topic(name), '-', { qos: 1 });
  await stage.expect(reader, 'b - 1', 'end - 1');
}

async function inOrder(stage: Stage): Promise<void> {
  const reader = await stage.reader(['lines', 2]);
  const writer = await stage.dial();
  const texts = Array.from({ length: 200 }, (_none, i) => `line ${i}`);
  // As many at once as every broker takes, whether the library knows the broker's receive maximum or not.
  for (let at = 0; at < texts.length; at += 20) {
    const some = texts.slice(at, at + 20);
    await Promise.all(some.map((text) => writer.publish(stage.topic('lines'), text, { qos: 2 })));
  }
  await stage.expect(reader, ...texts.map((text) => `lines ${text} 2`));
}

async function largePayload(stage: Stage): Promise<void> {
  const reader = await stage.reader(['large', 2]);
  const payload = 'abcdefgh'.repeat(131_072);
  for (const qos of QOS) {
    await reader.publish(stage.topic('large'), payload, { qos });
    const got = await reader.next();
    assert.ok(got.payload === payload && got.qos === qos, `${got.payload.length} bytes at QoS ${got.qos}`);
  }
}

async function refusals(stage: Stage): Promise<void> {
  const { guarded } = stage.places;
  const tom = await stage.dial({ username: 'tom', password: 'secret' }, guarded);
  await tom.end();
  for (const wish of [{ username: 'tom', password: 'wrong' }, {}]) {
    await assert.rejects(stage.dial(wish, guarded), (error: unknown) => {
      // 5 and 0x87: not authorized.
      return error instanceof Refused && error.code === (stage.level === 5 ? 0x87 : 5);
    });
  }
}

/** The rules of the guarded listener let nobody read or write below `forbidden`; as mosquitto's they refuse no filter. */
async function hiddenTopics(stage: Stage): Promise<void> {
  const tom = await stage.dial({ username: 'tom', password: 'secret' }, stage.places.guarded);
  const filters = [stage.topic('open'), 'forbidden/#'].map((filter) => ({ filter, qos: 1 }) as const);
  assert.deepEqual(await tom.subscribe(filters), [1, 1]);
  const writer = await stage.dial();
  await writer.publish('forbidden/a', 'unseen', { qos: 1 });
  await tom.publish('forbidden/b', 'unsent', { qos: 1 });
  await tom.publish(stage.topic('open'), 'seen', { qos: 1 });
  await stage.expect(tom, 'open seen 1');
}

async function transports(stage: Stage): Promise<void> {
  const { ws, tls } = stage.places;
  const reader = await stage.reader(['+', 2]);
  for (const place of [ws, tls]) {
    const player = await stage.dial({}, place);
    await player.subscribe([{ filter: stage.topic('+'), qos: 2 }]);
    for (const qos of QOS) await player.publish(stage.topic(place.kind), 'x'.repeat(70_000), { qos });
    for (const [who, qos] of [player, reader].flatMap((one) => QOS.map((each) => [one, each] as const))) {
      const got = await who.next();
      assert.deepEqual([got.topic, got.payload.length, got.qos], [stage.topic(place.kind), 70_000, qos]);
    }
    await player.end();
  }
}

/** A QoS 2 message whose PUBREC, and one whose PUBCOMP, is lost with the connection arrives exactly once. */
async function cutConnections(stage: Stage): Promise<void> {
  const reader = await stage.reader(['cut/#', 2]);
  const proxy = await stage.proxy();
  const place = { ...stage.places.plain, port: proxy.port };
  const writer = await stage.dial({ ...stage.lasting(stage.newId()), reconnects: true }, place);
  for (const [name, first] of [
    ['rec', 0x50],
    ['comp', 0x70],
  ] as const) {
    const lost = proxy.cutAt('server', first);
    const done = writer.publish(stage.topic(`cut/${name}`), 'once', { qos: 2 });
    await lost;
    await done;
  }
  await writer.publish(stage.topic('cut/end'), 'x', { qos: 2 });
  await stage.expect(reader, 'cut/rec once 2', 'cut/comp once 2', 'cut/end x 2');
}

/** A subscriber whose acknowledgements are lost with the connection gets QoS 1 again and QoS 2 once. */
async function cutSubscribers(stage: Stage): Promise<void> {
  const proxy = await stage.proxy();
  const place = { ...stage.places.plain, port: proxy.port };
  const reader = await stage.dial({ ...stage.lasting(stage.newId()), reconnects: true }, place);
  await reader.subscribe([{ filter: stage.topic('cut/#'), qos: 2 }]);
  const writer = await stage.dial();
  for (const [name, first] of [
    ['rec', 0x50],
    ['comp', 0x70],
  ] as const) {
    const lost = proxy.cutAt('client', first);
    await writer.publish(stage.topic(`cut/${name}`), 'once', { qos: 2 });
    await lost;
  }
  const lost = proxy.cutAt('client', 0x40);
  await writer.publish(stage.topic('cut/ack'), 'twice', { qos: 1 });
  await lost;
  await stage.expect(reader, 'cut/rec once 2', 'cut/comp once 2', 'cut/ack twice 1', 'cut/ack twice 1');
}

/** Scenarios of every version. */
export const BASICS: readonly LibraryScenario[] = [
  { name: 'every QoS, granted as asked', play: everyQos },
  { name: 'retained messages are kept, replaced and cleared', play: retained },
  { name: 'wildcards match levels, empty ones too', play: wildcards },
  { name: 'the will of a client that dies, and none of one that leaves', play: wills },
  { name: 'messages wait for a session', play: sessions },
  { name: 'the same client id takes over', play: takeOver },
  { name: 'unsubscribing', play: unsubscribing },
  { name: '200 messages at QoS 2 arrive in order', play: inOrder },
  { name: 'a payload of a mebibyte at each QoS', play: largePayload },
  { name: 'a wrong password and none are refused', play: refusals },
  { name: 'what may not be read is not delivered', play: hiddenTopics },
  { name: 'WebSocket and TLS', play: transports },
  { name: 'QoS 2 outwards over cut connections', play: cutConnections },
  { name: 'QoS 1 and 2 inwards over cut connections', play: cutSubscribers },
];
