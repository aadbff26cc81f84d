import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { goalFor } from '../../../../src/cli/commands/goal.ts';
import { printerFor } from '../../../../src/cli/commands/printing.ts';
import { printed, received } from '../messages.ts';

type Options = Parameters<typeof printerFor>[0];

const DEFAULTS: Options = {
  format: null,
  verbose: false,
  pretty: false,
  noNewline: false,
  jsonLines: false,
  jsonCompat: '2.1',
  payloadFormat: 'cbor',
};

/** What is printed of a payload (in hexadecimal digits), and what is said. */
async function show(digits: string, options: Partial<Options>): Promise<[string, string[]]> {
  const print = await printerFor({ ...DEFAULTS, ...options }, (topic) => `<${topic}>`);
  const { out, warnings } = printed(print, received({ payload: Buffer.from(digits, 'hex') }));
  return [out.toString().replace(/"tst":"[^"]*",/, ''), warnings];
}

const CBOR = 'a1616182f5f6';
const WARNING = 'Error: Message payload is not valid CBOR on topic t: it ends too early.';

describe('payloads in a format', () => {
  for (const [options, digits, out, warnings] of [
    [{}, CBOR, '{"a":[true,null]}\n', []],
    [{ pretty: true }, CBOR, '{\n\t"a":\t[true, null]\n}\n', []],
    [{ verbose: true }, CBOR, '<t> {"a":[true,null]}\n', []],
    [{ noNewline: true }, CBOR, '{"a":[true,null]}', []],
    [{ format: '%t %p %x %l' }, CBOR, 't {"a":[true,null]} a1616182f5f6 6\n', []],
    [{ format: '[%6p|%20p]' }, CBOR, '[{"a":[|   {"a":[true,null]}]\n', []],
    [{ format: '%J' }, CBOR, '{"topic":"t","qos":0,"retain":false,"payloadlen":6,"payload":{"a":[true,null]}}\n', []],
    [
      { format: '%j', payloadFormat: 'hex' },
      '61',
      '{"topic":"t","qos":0,"retain":false,"payloadlen":1,"payload":"a"}\n',
      [],
    ],
    [
      { format: '%J', payloadFormat: 'hex' },
      '31',
      '{"topic":"t","qos":0,"retain":false,"payloadlen":1,"payload":1}\n',
      [],
    ],
    [{ payloadFormat: 'base64', verbose: true }, 'ff00', '<t> /wA=\n', []],
    // Nothing, as without a format.
    [{}, '', '', []],
    [{ verbose: true }, '', '<t> (null)\n', []],
    [{ format: '[%p]' }, '', '[]\n', []],
    [{ format: '%J' }, '', '{"topic":"t","qos":0,"retain":false,"payloadlen":0,"payload":null}\n', []],
    // What is no CBOR.
    [{}, 'a1', '\n', [WARNING]],
    [{ verbose: true }, 'a1', 't \n', [WARNING]],
    [{ noNewline: true }, 'a1', '', [WARNING]],
    [{ format: '[%p]%x' }, 'a1', '[]a1\n', [WARNING]],
    [{ format: '%J' }, 'a1', '\n', [WARNING]],
  ] as [Partial<Options>, string, string, string[]][]) {
    it(`are printed with ${JSON.stringify(options)}: ${digits}`, async () => {
      assert.deepEqual(await show(digits, options), [out, warnings]);
    });
  }

  it('are looked at by --until', async () => {
    const goal = await goalFor(
      { count: null, expect: null, until: 'payload.temp > 30', timeout: null, payloadFormat: 'msgpack' },
      () => undefined,
    );
    const reached = (digits: string): boolean => goal.reached(received({ payload: Buffer.from(digits, 'hex') }));
    // {"temp":30}, {"temp":31}, and the beginning of the latter.
    assert.deepEqual([reached('81a474656d701e'), reached('81a474'), reached('81a474656d701f')], [false, false, true]);
  });
});
