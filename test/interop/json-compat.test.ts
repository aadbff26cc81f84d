// --json-compat 2.0 against Debian's mosquitto_sub 2.0.11, byte by byte: every message goes to both, and what ours prints
// must be what Debian's printed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFormat } from '../../src/cli/format/format.ts';
import { connect, type PublishOptions } from '../../src/index.ts';
import { embeddedBroker, Observer } from '../cli/embedded-broker.ts';
import { finish, whereIs, without } from '../support/process.ts';
import { printed } from '../unit/cli/messages.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Payloads that are JSON, that nearly are, and that are not. */
const PAYLOADS: readonly (string | Buffer)[] = [
  '',
  'null',
  'true',
  ' \t[ 1 ,\n 2 ]\r\v ',
  '\v1',
  '\u00a01',
  'tru',
  'hello',
  '[1,2',
  '[1,]',
  '{"a":1,}',
  '{"a" : 1 , "b":[{}, [], {"c":{"d":[1,[2]]}}]}',
  '{"a":1,"a":2,"":{"__proto__":[]}}',
  "{'a':1}",
  '{"a"}',
  '{1:2}',
  '1 2',
  '{"x":1}junk',
  '{"x":1}\0',
  '{"x":1}\0junk',
  '"a\0b"',
  'a\0b\x01\x07\b\f\n\r\t\x1f\x7f"\\/ü🌍\u2028',
  '\ufeff{}',
  '\ufeff',
  '"\x01\x7f"',
  '"a\nb"',
  '"\\u0041\\u00fc\\ud83c\\udf0d\\/\\n\\u001f\\u0000x"',
  '{"a\\u0000b":1}',
  '"\\ud800"',
  '"\\ud800\\u0041"',
  '"\\udc00"',
  '"\\uzzzzx"',
  '"x\\u12',
  '"x\\u1"',
  '"x\\x"',
  '"\\',
  Buffer.from([0x22, 0xff, 0xc3, 0x22]),
  Buffer.from([0xff, 0x61, 0xc3, 0x28, 0x00, 0x80]),
  nested(1000),
  nested(1001),
  `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`,
  '['.repeat(3000),
  ...['NaN', '.5', '+1', '-', '-.5', '1e', '1e+', '1.e5', '-01', '0x10', '1-2', '1e5e5', '1.2.3', '--1', '[-]'],
  `[${'1'.repeat(300)}]`,
  `0.${'3'.repeat(300)}e12`,
  `[${[
    ...['1e400', '-1e400', '1e5', '1.0', '0.1', '0', '-0', '-0.0', '1e-7', '1e21', '1e-5', '0.0001', '0.00012345'],
    ...['123456789012345678901234567890', '9007199254740993', '0.30000000000000004', '1e15', '1e16', '1e17', '1E+2'],
    ...['-2147483649', '5e-324', '1.7976931348623157e308', '2.98023223876953125e-8', '100000000000000.5', '1e-320'],
    ...['123456789012345.6', '1234567890123456.7', '0.1234567890123456789', '3.14159265358979323846', '1e22', '100'],
  ].join(',')}]`,
];

const MESSAGES: readonly [payload: string | Buffer, options: PublishOptions][] = [
  ...PAYLOADS.map((payload): [string | Buffer, PublishOptions] => [payload, {}]),
  ['{"x":1}', { retain: true, properties: { messageExpiryInterval: 0xffff_ffff, contentType: 'grün "x" \\' } }],
  [
    '1',
    {
      properties: {
        userProperties: [
          ['k1', 'v1'],
          ['k2', '"v2"'],
          ['k1', ''],
          ['__proto__', 'ü'],
          ['', '1'],
        ],
        payloadFormatIndicator: 1,
        correlationData: Buffer.from('cd01'),
        contentType: 'application/json',
        responseTopic: 'r/ü',
      },
    },
  ],
  ['2', { properties: { correlationData: Buffer.from([0xff, 0x22, 0x01, 0x00, 0x41]), payloadFormatIndicator: 0 } }],
  ['3', { properties: { correlationData: Buffer.alloc(0), contentType: '' } }],
  ['{"q":1}', { qos: 1 }],
  ['{"q":2}', { qos: 2, properties: { userProperties: [['a', 'b']] } }],
];

const withoutTime = (text: string): string =>
  text.replace(/("tst":\t?")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/g, '$1TIME');

const reason = without('mosquitto_sub');

test('--json-compat 2.0 prints what mosquitto_sub 2.0 prints', { skip: reason }, async (context) => {
  const { port, where, subscribed } = await embeddedBroker(context);
  const command = whereIs('mosquitto_sub') ?? '';
  const { stdout: version } = await finish(command, ['--help']);
  assert.match(version, /version 2\.0\./, 'the reference is a mosquitto_sub of 2.0');
  const observer = new Observer(await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port } }));
  context.after(() => observer.client.end());
  const options = { qos: 2, retainAsPublished: true } as const;
  await observer.client.subscribe({ filter: 'f/#', ...options }, { subscriptionIdentifier: 9 });
  const runs = [];
  for (const format of ['%j', '%J']) {
    for (const pretty of [false, true]) {
      const ready = subscribed('f/#');
      const args = [
        ...[...where, '-V', '5', '-q', '2', '--retain-as-published', '-t', 'f/#', '-C', String(MESSAGES.length)],
        ...['-D', 'subscribe', 'subscription-identifier', '9', '-F', format, ...(pretty ? ['--pretty'] : [])],
      ];
      runs.push({ format, pretty, ended: finish(command, args, { env: { ...process.env, TZ: 'Asia/Kolkata' } }) });
      await ready;
    }
  }
  const sender = await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port } });
  for (const [payload, how] of MESSAGES) await sender.publish('f/grün', payload, how);
  await sender.end();
  const messages = await observer.seen(MESSAGES.length);
  const zone = process.env['TZ'];
  process.env['TZ'] = 'Asia/Kolkata';
  context.after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  for (const { format, pretty, ended } of runs) {
    const print = compileFormat(format, pretty, true, '2.0');
    const ours = messages.map((message) => printed(print, message));
    const { code, stdout, stderr } = await ended;
    const text = Buffer.concat(ours.map(({ out }) => out)).toString();
    const name = `${format}${pretty ? ' --pretty' : ''}`;
    assert.equal(code, 0);
    assert.deepEqual(withoutTime(text).split('\n'), withoutTime(stdout).split('\n'), name);
    assert.equal(ours.flatMap(({ warnings }) => warnings.map((warning) => `${warning}\n`)).join(''), stderr, name);
  }
});
