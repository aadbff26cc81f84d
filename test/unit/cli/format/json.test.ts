import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type JsonStyle, messageJson } from '../../../../src/cli/format/json.ts';
import { wallTime } from '../../../../src/cli/wall-time.ts';
import type { ReceivedMessage } from '../../../../src/client/options.ts';
import { received } from '../messages.ts';

const time = wallTime();
const plain: JsonStyle = { parsePayload: false, pretty: false, compat: '2.1' };
const parsed: JsonStyle = { ...plain, parsePayload: true };

const json = (message: Partial<ReceivedMessage>, style = plain): string => {
  const bytes = messageJson(received(message), time, style);
  assert.ok(bytes !== null);
  return bytes.toString();
};
const payloadOf = (text: string): string => json({ payload: Buffer.from(text) }, parsed).replace(/^.*"payload":/, '');

describe('messages as JSON', () => {
  it('has the members in their order', () => {
    const text = json({
      topic: 'f/a',
      payload: Buffer.from('{"x":1}'),
      qos: 1,
      id: 1,
      properties: {
        contentType: 'application/json',
        responseTopic: 'r/t',
        correlationData: Buffer.from('cd01'),
        userProperties: [
          ['k1', 'v1'],
          ['k2', 'v2'],
        ],
        payloadFormatIndicator: 1,
        messageExpiryInterval: 60,
      },
    });
    assert.match(text, /^\{"tst":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d{4}",/);
    assert.equal(
      text.slice(text.indexOf('"topic"')),
      '"topic":"f/a","qos":1,"retain":false,"payloadlen":7,"mid":1,"properties":{"content-type":"application/json",' +
        '"response-topic":"r/t","correlation-data":"cd01","user-properties":[{"k1":"v1"},{"k2":"v2"}],' +
        '"payload-format-indicator":1,"message-expiry-interval":60},"payload":"{\\"x\\":1}"}',
    );
  });

  it('leaves mid and properties out where there are none, and has null for no payload', () => {
    const text = json({ payload: Buffer.alloc(0), retain: true });
    assert.equal(
      text.slice(text.indexOf('"topic"')),
      '"topic":"t","qos":0,"retain":true,"payloadlen":0,"payload":null}',
    );
    assert.match(json({ payload: Buffer.alloc(0) }, parsed), /"payload":null\}$/);
  });

  it('shows one subscription identifier as a number and several as an array', () => {
    assert.match(json({ properties: { subscriptionIdentifiers: [5] } }), /\{"subscription-identifier":5\}/);
    assert.match(json({ properties: { subscriptionIdentifiers: [5, 6] } }), /\{"subscription-identifier":\[5,6\]\}/);
  });

  it('keeps every byte of the payload', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (payload) => {
        const bytes = messageJson(received({ topic: 'grün', payload: Buffer.from(payload) }), time, plain) as Buffer;
        const message = JSON.parse(bytes.toString('latin1'));
        assert.deepEqual(Buffer.from(message.payload ?? '', 'latin1'), Buffer.from(payload));
        assert.equal(Buffer.from(message.topic, 'latin1').toString(), 'grün');
      }),
    );
  });

  it('takes in any JSON as the payload', () => {
    fc.assert(
      fc.property(fc.json(), fc.boolean(), (text, pretty) => {
        const bytes = messageJson(received({ payload: Buffer.from(text) }), time, { ...parsed, pretty });
        assert.deepEqual(JSON.parse((bytes as Buffer).toString()).payload, JSON.parse(text));
      }),
    );
  });

  it('writes values in their shortest form', () => {
    assert.equal(payloadOf(' [1, 2.50, 1e3, -0, {}, [] , "a" , true,null ] '), '[1,2.5,1000,-0,{},[],"a",true,null]}');
    assert.equal(payloadOf('"\\u00e9\\n\\/\\u0022\\ud83d\\ude00\\u0001"'), '"é\\n/\\"😀\\u0001"}');
  });

  it('loses no digits, no equal keys and no order', () => {
    const exact = '{"b":12345678901234567890,"2":1,"a":1e400,"b":2,"__proto__":3}';
    assert.equal(payloadOf(exact), `${exact}}`);
  });

  it('refuses what is no JSON', () => {
    for (const text of ['hello', '{} x', '{"a":}', '[1,]', '\u00ff', `${'['.repeat(1001)}${']'.repeat(1001)}`]) {
      assert.equal(messageJson(received({ payload: Buffer.from(text) }), time, parsed), null, text.slice(0, 20));
    }
    assert.equal(payloadOf(`${'['.repeat(999)}${']'.repeat(999)}`).length, 2 * 999 + 1);
  });

  it('spreads with tabs', () => {
    const payload = Buffer.from('{"x":1,"y":[1,2.5,{},[{"a":1}]],"e":[],"s":{}}');
    const text = json({ payload, qos: 1, id: 3 }, { ...parsed, pretty: true });
    assert.equal(
      text.slice(text.indexOf('\t"topic"')),
      '\t"topic":\t"t",\n\t"qos":\t1,\n\t"retain":\tfalse,\n\t"payloadlen":\t46,\n\t"mid":\t3,\n\t"payload":\t{\n' +
        '\t\t"x":\t1,\n\t\t"y":\t[1, 2.5, {\n\t\t\t}, [{\n\t\t\t\t\t"a":\t1\n\t\t\t\t}]],\n' +
        '\t\t"e":\t[],\n\t\t"s":\t{\n\t\t}\n\t}\n}',
    );
  });

  it('spreads payloads as deep as it takes them', () => {
    const deep = `${'['.repeat(1000)}${']'.repeat(1000)}`;
    assert.ok(json({ payload: Buffer.from(deep) }, { ...parsed, pretty: true }).endsWith(`\t"payload":\t${deep}\n}`));
  });

  it('takes payloads of 32 MiB apart, not larger ones', () => {
    const size = 32 * 1024 * 1024;
    for (const compat of ['2.0', '2.1'] as const) {
      const long = (length: number): Buffer => Buffer.from(`"${'x'.repeat(length - 2)}"`);
      assert.equal(messageJson(received({ payload: long(size + 1) }), time, { ...parsed, compat }), null);
    }
    assert.equal(json({ payload: Buffer.from(`7${' '.repeat(size - 1)}`) }, parsed).endsWith('"payload":7}'), true);
  });

  it('writes payloads of any size, in pieces', () => {
    const payload = Buffer.alloc(32 * 1024 * 1024 + 1, 'x');
    payload.set(Buffer.from('"\\\xff', 'latin1'), 1024 * 1024 - 1);
    payload[payload.length - 1] = 10;
    const whole = (style: JsonStyle, shown: Buffer): Buffer => {
      const small = messageJson(received({ payload: Buffer.alloc(0) }), time, style) ?? Buffer.alloc(0);
      const [front = '', back = ''] = small.toString().replace('"payloadlen":0', '"payloadlen":33554433').split('null');
      return Buffer.from(`${front}${JSON.stringify(shown.toString('latin1'))}${back}`, 'latin1');
    };
    assert.ok(messageJson(received({ payload }), time, plain)?.equals(whole(plain, payload)));
    payload[2_000_000] = 0;
    const old: JsonStyle = { ...plain, compat: '2.0' };
    assert.ok(messageJson(received({ payload }), time, old)?.equals(whole(old, payload.subarray(0, 2_000_000))));
  });

  it('keeps on one line what would take too many tabs', () => {
    const members = new Array(150_000).fill('"a":1').join(',');
    const deep = `${'{"a":'.repeat(998)}{${members}}${'}'.repeat(998)}`;
    const text = json({ payload: Buffer.from(deep) }, { ...parsed, pretty: true });
    assert.ok(text.endsWith(`"payload":${deep}}`));
  });

  it('is like that of Mosquitto 2.0 where it is asked for', () => {
    const text = json(
      {
        payload: Buffer.from('{"a":[01,1e400,0.30000000000000004,"\\u0000x"]}'),
        retain: true,
        properties: {
          correlationData: Buffer.from('a\0b'),
          userProperties: [
            ['k', '1'],
            ['k', '2'],
          ],
        },
      },
      { ...parsed, compat: '2.0' },
    );
    assert.match(text, /^\{"tst":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z[+-]\d{4}",/);
    assert.equal(
      text.slice(text.indexOf('"topic"')),
      '"topic":"t","qos":0,"retain":1,"payloadlen":46,"properties":{"correlation-data":"a",' +
        '"user-properties":{"k":"1","k":"2"}},"payload":{"a":[1,null,0.3,""]}}',
    );
  });
});
