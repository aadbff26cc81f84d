import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileFormat, FormatError, payloadPrinter, verbosePrinter } from '../../../../src/cli/format/format.ts';
import type { ReceivedMessage } from '../../../../src/client/options.ts';
import { printed, received } from '../messages.ts';

const bytes = (format: string, message: Partial<ReceivedMessage>): Buffer =>
  printed(compileFormat(format, false, false), received(message)).out;
const show = (format: string, message: Partial<ReceivedMessage>): string => bytes(format, message).toString();

describe('-F formats', () => {
  const hello = { topic: 'f/a', payload: Buffer.from('hello') };
  const cases: [format: string, expected: string][] = [
    ['[%10t][%-10t][%.2t][%010t]', '[       f/a][f/a       ][f/][       f/a]'],
    ['%.t|%5.t|%00005t', '|     |  f/a'],
    ['[%10p][%-10p][%.2p][%3p][%010p]', '[     hello][hello     ][hello][hel][00000hello]'],
    ['[%x][%X][%.2:x][%.4,x][%:X]', '[68656c6c6f][68656C6C6F][68:65:6c:6c:6f][6865,6c6c,6f][68:65:6C:6C:6F]'],
    ['[%4x][%3x][%12x][%012x][%-12x][%7:x]', '[6865][ 68][  68656c6c6f][0068656c6c6f][68656c6c6f  ][  68:65]'],
    ['[%10l][%010l][%-10l][%-05l][%08.3l]', '[         5][0000000005][5         ][5    ][00000005]'],
    ['%q%r%m|%5m|%05m|%5q', '000|    0|00000|0'],
    ['[%A][%5A][%05A][%C][%5C][%D][%5D][%E][%5E]', '[][     ][00000][][     ][][][][     ]'],
    ['[%F][%5F][%P][%5P][%R][%5R][%S][%5S]', '[][     ][][][][][][     ]'],
    ['100%% @@ \\\\ \\0 \\a \\e \\n \\r \\t \\v', '100% @ \\ \0 \x07 \x1b \n \r \t \v'],
    ['%5%', '%'],
    ['grün 🌍 %p', 'grün 🌍 hello'],
    ['', ''],
    ['@!', '%!'],
  ];
  for (const [format, expected] of cases) {
    it(`prints ${format}`, () => assert.equal(show(format, hello), expected));
  }

  it('prints the properties of MQTT 5', () => {
    const properties = {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      responseTopic: 'r/t',
      correlationData: Buffer.from([0xff, 0x00]),
      topicAlias: 7,
      userProperties: [
        ['a', 'b'],
        ['c', 'd'],
      ] as const,
      subscriptionIdentifiers: [9],
    };
    assert.equal(
      show('[%A][%C][%12C][%.4C][%E][%05E][%-5E]', { properties }),
      '[7][text/plain][  text/plain][text][60][00060][60   ]',
    );
    assert.equal(show('[%F][%P][%5P][%R][%-5R][%.1R][%S]', { properties }), '[1][a:b c:d][a:b c:d][r/t][r/t  ][r][9]');
    assert.deepEqual(bytes('%D', { properties }), Buffer.from([0xff, 0x00]));
  });

  it('cuts and pads by characters, not inside of one', () => {
    assert.equal(show('%.2t|%4t', { topic: 'äöü' }), 'äö| äöü');
  });

  it('writes any payload byte by byte', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (payload) => {
        const all = Buffer.from(payload);
        assert.deepEqual(bytes('%p', { payload: all }), all);
        assert.equal(show('%x', { payload: all }), all.toString('hex'));
      }),
    );
  });

  it('writes the digits of a large payload in pieces', () => {
    const payload = Buffer.alloc(200_001, 'xyz');
    for (const [format, expected] of [
      ['%X', payload.toString('hex').toUpperCase()],
      ['%.3:x', (payload.toString('hex').match(/.{1,3}/g) ?? []).join(':')],
    ] as const) {
      const pieces: string[] = [];
      const sink = { text: (text: string) => void pieces.push(text), bytes: () => undefined, warn: () => undefined };
      compileFormat(format, false, false)(received({ payload }), sink);
      assert.ok(pieces.every((piece) => piece.length <= 200_000));
      assert.equal(pieces.join(''), expected);
    }
  });

  it('prints floats and doubles in the byte order of the machine', () => {
    const float = Buffer.from(new Float32Array([1.5]).buffer);
    const double = Buffer.from(new Float64Array([-2.25]).buffer);
    assert.equal(show('%f|%.1f|%8.2f|%08.2f|%-8.1f|', { payload: float }), '1.500000|1.5|    1.50|00001.50|1.5     |');
    assert.equal(show('%d|%09.3d', { payload: double }), '-2.250000|-0002.250');
    assert.equal(show('%.0d', { payload: Buffer.from(new Float64Array([1e22]).buffer) }), '10000000000000000000000');
    assert.equal(show('%5d', { payload: Buffer.from(new Float64Array([Number.NaN]).buffer) }), '  nan');
  });

  it('says so where a float has another length, and still ends the line', () => {
    const result = printed(compileFormat('%f', false, true), received({ payload: Buffer.from('12345') }));
    assert.equal(result.out.toString(), '\n');
    assert.deepEqual(result.warnings, ['requested float printing, but non-float data received']);
    const other = printed(compileFormat('%d', false, true), received({ payload: Buffer.from('1234') }));
    assert.deepEqual(other.warnings, ['requested double printing, but non-double data received']);
  });

  it('prints one and the same time in all forms', () => {
    const text = show('%U %U @s.@N %I @Y-@m-@dT@H:@M:@S@z', {});
    const [first, second, third, iso, parts] = text.split(' ');
    assert.match(first ?? '', /^\d{10,}\.\d{9}$/);
    assert.equal(second, first);
    assert.equal(third, first);
    assert.equal(parts, iso);
    assert.equal(new Date(iso ?? '').getTime(), Math.floor(Number(first)) * 1000);
  });

  it('prints JSON, and an error and an empty line for what is none', () => {
    assert.equal(JSON.parse(show('%j', hello)).payload, 'hello');
    const { out, warnings } = printed(compileFormat('%J', false, true), received(hello));
    assert.equal(out.toString(), '\n');
    assert.deepEqual(warnings, ['Error: Message payload is not valid JSON on topic f/a.']);
  });

  const faults: [format: string, sentence: string][] = [
    ['%', 'Incomplete format specifier.'],
    ['a%5', 'Incomplete format specifier.'],
    ['%-', 'Incomplete format specifier.'],
    ['%0', 'Incomplete format specifier.'],
    ['%10.5', 'Incomplete format specifier.'],
    ['%.2:', 'Incomplete format specifier.'],
    ['@', 'Incomplete format specifier.'],
    ['%z', "Invalid format specifier 'z'."],
    ['%ü', "Invalid format specifier 'ü'."],
    ['%🌍', "Invalid format specifier '🌍'."],
    ['%--5t', "Invalid format specifier '-'."],
    ['%0-5t', "Invalid format specifier '-'."],
    ['%:t', "Invalid format specifier ':'."],
    ['\\', 'Incomplete escape specifier.'],
    ['\\q', "Invalid escape specifier 'q'."],
  ];
  for (const [format, sentence] of faults) {
    it(`refuses ${format}`, () => {
      assert.throws(
        () => compileFormat(format, false, true),
        (error) => error instanceof FormatError && error.message === sentence,
      );
    });
  }

  it('compiles or refuses any format, and what it compiles prints', () => {
    const piece = fc.constantFrom('%', '@', '\\', '-', '0', '5', '.', ':', 'x', 'p', 't', 'j', 'd', 'I', 'n', 'Z', '☃');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.uint8Array(), (pieces, payload) => {
        try {
          bytes(pieces.join(''), { payload: Buffer.from(payload) });
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });

  it('bounds a mistyped width', () => {
    assert.equal(bytes('%99999999999999t', { topic: 'a' }).length, 1_000_000);
  });
});

describe('the other forms of messages', () => {
  const paint = (topic: string): string => `<${topic}>`;

  it('prints the payload, and nothing at all for an empty one', () => {
    assert.equal(printed(payloadPrinter(true), received({ payload: Buffer.from('x') })).out.toString(), 'x\n');
    assert.equal(printed(payloadPrinter(false), received({ payload: Buffer.from('x') })).out.toString(), 'x');
    assert.equal(printed(payloadPrinter(true), received({ payload: Buffer.alloc(0) })).out.length, 0);
  });

  it('prints topic and payload for -v, (null) for an empty one', () => {
    const message = received({ topic: 't/1', payload: Buffer.from([0xfe, 0x0a]) });
    assert.deepEqual(printed(verbosePrinter(true, paint), message).out, Buffer.from('<t/1> \xfe\n\n', 'latin1'));
    const empty = received({ topic: 't/1', payload: Buffer.alloc(0) });
    assert.equal(
      printed(
        verbosePrinter(false, (topic) => topic),
        empty,
      ).out.toString(),
      't/1 (null)',
    );
  });
});
