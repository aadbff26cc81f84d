import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, type PublishOptions, type ReceivedMessage } from '../../src/index.ts';
import { runTool } from '../support/cli.ts';
import { embeddedBroker, Observer } from './embedded-broker.ts';

const COUNT = 60;

/** Everything that belongs to a message itself. */
const essence = ({ topic, payload, qos, retain, properties }: ReceivedMessage) => ({
  topic,
  payload: Buffer.from(payload),
  qos,
  retain,
  properties: { ...properties },
});

const message = fc.tuple(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.record({
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    properties: fc.record(
      {
        contentType: fc.constantFrom('', 'text/plain', 'grün'),
        messageExpiryInterval: fc.constantFrom(100_000, 0xffff_ffff),
        correlationData: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
        userProperties: fc.constantFrom<[string, string][]>(
          [['a', 'x']],
          [
            ['2', 'y'],
            ['1', ''],
            ['2', 'z'],
          ],
        ),
      },
      { requiredKeys: [] },
    ),
  }) as fc.Arbitrary<PublishOptions>,
);

describe('JSON lines', () => {
  it('go from mqtt-sub through a file to mqtt-pub, and every message is the same', async (context) => {
    const { port, where, subscribed } = await embeddedBroker(context);
    const observer = await Observer.of(context, port, 'any/#');
    const ready = subscribed('any/#');
    const subscriber = runTool('mqtt-sub', [
      ...[...where, '-V', '5', '-q', '2', '--retain-as-published', '-t', 'any/#'],
      ...['-C', String(COUNT), '--json-lines'],
    ]);
    await ready;
    const client = await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port } });
    const messages = fc.sample(message, COUNT);
    await Promise.all(messages.map(([payload, how], i) => client.publish(`any/${i}`, payload, how)));
    await client.end();
    const { code, stdout, stderr } = await subscriber;
    assert.deepEqual([code, stderr], [0, '']);
    const result = await runTool('mqtt-pub', [...where, '-V', '5', '--json-lines'], { stdin: stdout });
    assert.deepEqual(result, { code: 0, stdout: '', stderr: '' });
    const seen = (await observer.seen(2 * COUNT)).map(essence);
    const byTopic = new Map(seen.slice(COUNT).map((copy) => [copy.topic, copy]));
    for (const original of seen.slice(0, COUNT)) {
      const copy = byTopic.get(original.topic);
      // The broker takes off the time that a message was with it.
      const expiry = original.properties.messageExpiryInterval;
      if (copy !== undefined && expiry !== undefined && expiry !== 0xffff_ffff) {
        assert.ok(Math.abs((copy.properties.messageExpiryInterval ?? 0) - expiry) < 100);
        copy.properties.messageExpiryInterval = expiry;
      }
      assert.deepEqual(copy, original);
    }
  });

  it('that are none end mqtt-pub once the good ones before them are acknowledged', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const good = ['{"topic":"a","payload":"1","qos":2}', '', ' \r', '{"payload":"2","properties":{}}'];
    for (const [bad, sentence] of [
      ['hello', 'is not valid JSON'],
      ['{"payload":"x","qos":9}', 'has a "qos" that is not 0, 1 or 2'],
      ['{"payload":"x","properties":{"content-type":"x"}}', 'has properties, which need MQTT 5 (-V 5)'],
    ] as const) {
      observer.messages.length = 0;
      const stdin = [...good, bad, '{"topic":"a","payload":"3"}'].join('\n');
      const result = await runTool('mqtt-pub', [...where, '-t', 'b', '-q', '1', '-d', '--json-lines'], { stdin });
      assert.equal(result.stderr, `Error: Line 5 of standard input ${sentence}.\n`);
      assert.equal(result.code, 1);
      const order = [...result.stdout.matchAll(/(?:received|sending) (PUBACK|PUBCOMP|DISCONNECT)/g)].map(
        ([, name]) => name,
      );
      assert.deepEqual(order.sort(), ['DISCONNECT', 'PUBACK', 'PUBCOMP']);
      assert.match(result.stdout, /sending DISCONNECT\n$/);
      const seen = await observer.seen(2);
      assert.deepEqual(seen.map(({ topic, payload, qos }) => `${topic} ${payload} ${qos}`).sort(), ['a 1 2', 'b 2 1']);
    }
  });

  it('without a topic need one of the command line', async (context) => {
    const { where } = await embeddedBroker(context);
    const result = await runTool('mqtt-pub', [...where, '--json-lines'], { stdin: '{"payload":"x"}' });
    const stderr = 'Error: Line 1 of standard input has no "topic", and there is no -t.\n';
    assert.deepEqual(result, { code: 1, stdout: '', stderr });
  });
});
