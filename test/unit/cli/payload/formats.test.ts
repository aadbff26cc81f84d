import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PayloadFault } from '../../../../src/cli/payload/fault.ts';
import { type PayloadFormatName, payloadFormat, payloadReader } from '../../../../src/cli/payload/formats.ts';

/** What a payload (in hexadecimal digits) is shown as. */
async function shown(name: PayloadFormatName, digits: string, pretty = false): Promise<string> {
  return (await payloadFormat(name)).show(Buffer.from(digits.replaceAll(' ', ''), 'hex'), pretty).toString();
}

/** The payload that a text stands for, in hexadecimal digits. */
async function read(name: PayloadFormatName, text: string | Buffer): Promise<string> {
  return (await payloadReader(name))(Buffer.from(text)).toString('hex');
}

const faultOf = async (work: Promise<unknown>): Promise<string> => {
  let message = 'no fault';
  await work.catch((error: unknown) => {
    assert.ok(error instanceof PayloadFault, String(error));
    message = error.message;
  });
  return message;
};

/** A double as JSON, with digits that no integer has. */
const doubleText = (number: number): string =>
  Number.isInteger(number) && !Number.isSafeInteger(number) ? number.toExponential() : JSON.stringify(number);

/** JSON values, in a text, that CBOR and MessagePack both have, with all that stands for something else. */
const notation = fc.letrec<{ value: string; object: string; array: string; map: string; tag: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('null', 'true', '{"$number":"NaN"}', '{"$number":"-Infinity"}', '9223372036854775807', '0.1'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(doubleText),
    // Whole numbers beyond 64 bits, which only are a double.
    fc.double({ min: 2 ** 53, max: 2 ** 70 }).map(doubleText),
    fc.maxSafeInteger().map(String),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.uint8Array().map((bytes) => `{"$bytes":"${Buffer.from(bytes).toString('base64')}"}`),
    tie('array'),
    tie('object'),
    tie('map'),
  ),
  array: fc.array(tie('value'), { maxLength: 20 }).map((items) => `[${items.join(',')}]`),
  object: fc
    .uniqueArray(fc.tuple(fc.oneof(fc.string(), fc.constantFrom('__proto__', '1', '0', '$x')), tie('value')), {
      selector: ([key]) => key,
      maxLength: 20,
    })
    .map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
  // Equal keys, and at least one that JSON can't have: else it would be shown as an object.
  map: fc
    .array(fc.tuple(fc.oneof(tie('value'), fc.constantFrom('"__proto__"', '1', '"$bytes"')), tie('value')))
    .map((pairs) => `{"$map":[${[['7', 'null'], ...pairs].map(([key, value]) => `[${key},${value}]`).join(',')}]}`),
  tag: fc.tuple(fc.nat(), tie('value')).map(([number, value]) => `{"$tag":${number},"value":${value}}`),
}));

describe('payload formats', () => {
  it('show what they read: hex, base64', async () => {
    for (const name of ['hex', 'base64'] as const) {
      const { show, read: readText } = await payloadFormat(name);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1 }), (array) => {
          const bytes = Buffer.from(array);
          const text = show(bytes, false);
          assert.equal(text.toString(), bytes.toString(name));
          assert.deepEqual(readText(text), bytes);
        }),
      );
    }
  });

  it('show hex and base64 of more bytes than a string has room for', async () => {
    const bytes = Buffer.alloc(7 * 1024 * 1024 + 1, 'abcdefg');
    assert.equal((await payloadFormat('base64')).show(bytes, false).toString(), bytes.toString('base64'));
    assert.equal((await payloadFormat('hex')).show(bytes, false).toString(), bytes.toString('hex'));
  });

  for (const name of ['cbor', 'msgpack'] as const) {
    it(`show what they read: ${name}`, async () => {
      const { show, read: readText } = await payloadFormat(name);
      fc.assert(
        fc.property(notation.value, (text) => {
          const payload = readText(Buffer.from(text));
          const again = show(payload, false).toString();
          // How a number is written may differ: 1e3 comes back as 1000.
          assert.deepEqual(readText(Buffer.from(again)), payload);
          assert.deepEqual(
            JSON.parse(again.replaceAll(/(?<=[[,:])-0(?=[,}\]]|$)|^-0$/g, '0')),
            JSON.parse(text.replaceAll(/(?<=[[,:])-0(?=[,}\]]|$)|^-0$/g, '0')),
          );
          assert.equal(show(payload, true).toString().replace(/\n\t*/g, '').length >= again.length, true);
        }),
      );
    });

    it(`survive any bytes: ${name}`, async () => {
      const { show } = await payloadFormat(name);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
          try {
            JSON.parse(show(Buffer.from(bytes), false).toString());
          } catch (error) {
            assert.ok(error instanceof PayloadFault, String(error));
          }
        }),
        { numRuns: 2000 },
      );
    });
  }

  it('show what JSON has no form for: CBOR', async () => {
    for (const [digits, text] of [
      ['c11a514b67b0', '{"$tag":1,"value":1363896240}'],
      ['c249010000000000000000', '{"$tag":2,"value":{"$bytes":"AQAAAAAAAAAA"}}'],
      ['dbffffffffffffffff01', '{"$tag":18446744073709551615,"value":1}'],
      ['83f0f8fff7', '[{"$simple":16},{"$simple":255},{"$undefined":true}]'],
      ['83f97e00f97c00f9fc00', '[{"$number":"NaN"},{"$number":"Infinity"},{"$number":"-Infinity"}]'],
      ['821bffffffffffffffff3bffffffffffffffff', '[18446744073709551615,-18446744073709551616]'],
      ['7f657374726561646d696e67ff', '"streaming"'],
      ['9f018202039f0405ffff', '[1,[2,3],[4,5]]'],
      ['bf61610161629f0203ffff', '{"a":1,"b":[2,3]}'],
      ['5f42010243030405ff', '{"$bytes":"AQIDBAU="}'],
      ['a201020304', '{"$map":[[1,2],[3,4]]}'],
      ['a2616101616102', '{"$map":[["a",1],["a",2]]}'],
    ] as const) {
      assert.equal(await shown('cbor', digits), text);
    }
    assert.equal(await shown('cbor', 'a1662462797465730a'), '{"$map":[["$bytes",10]]}');
    assert.equal(await read('cbor', '{"$schema":1}'), 'a16724736368656d6101');
  });

  it('show what JSON has no form for: MessagePack', async () => {
    for (const [digits, text] of [
      ['d6ff5a4af6a5', '{"$ext":-1,"data":"Wkr2pQ=="}'],
      ['c403010203', '{"$bytes":"AQID"}'],
      ['82 01 c3 a131 c2', '{"$map":[[1,true],["1",false]]}'],
      ['82 a161 01 a161 02', '{"$map":[["a",1],["a",2]]}'],
      ['81 9101 c0', '{"$map":[[[1],null]]}'],
      ['81 a95f5f70726f746f5f5f 01', '{"__proto__":1}'],
      ['82 a132 01 a131 02', '{"2":1,"1":2}'],
      ['cfffffffffffffffff', '18446744073709551615'],
      ['cb43f0000000000000', '1.8446744073709552e+19'],
      ['ca7f800000', '{"$number":"Infinity"}'],
    ] as const) {
      assert.equal(await shown('msgpack', digits), text);
    }
  });

  it('show JSON on one line, or on several', async () => {
    const digits = Buffer.from(' {"a" : [1e400, "\\u00fc"],\n"b":{}} ').toString('hex');
    assert.equal(await shown('json', digits), '{"a":[1e400,"ü"],"b":{}}');
    assert.equal(await shown('json', digits, true), '{\n\t"a":\t[1e400, "ü"],\n\t"b":\t{\n\t}\n}');
    assert.equal(await shown('cbor', 'a1616182f6f5', true), '{\n\t"a":\t[null, true]\n}');
  });

  it('take digits with white space between them, and JSON as it is', async () => {
    assert.equal(await read('hex', ' 00 fF\n'), '00ff');
    assert.equal(await read('hex', ''), '');
    assert.equal(await read('base64', 'AP\n8='), '00ff');
    assert.equal(await read('base64', '__8'), 'ffff');
    assert.equal(await read('json', ' {"a": 1e400} '), Buffer.from(' {"a": 1e400} ').toString('hex'));
  });

  for (const [name, text, message] of [
    ['hex', '0x12', 'is not hexadecimal: unexpected "x" at column 2'],
    ['hex', '00\n1 g', 'is not hexadecimal: unexpected "g" at line 2, column 3'],
    ['hex', '123', 'is not hexadecimal: 3 digits make no whole bytes'],
    ['base64', 'AA*=', 'is not base64: unexpected "*" at column 3'],
    ['base64', 'AAAAA', 'is not base64: it is cut off'],
    ['base64', 'AA=', 'is not base64: it is cut off'],
    ['base64', 'A=AA', 'is not base64: it is cut off'],
    ['json', '{"a":1,}', 'is not valid JSON: unexpected "}" at column 8'],
    ['json', '', 'is not valid JSON: it ends too early at column 1'],
    ['json', '[1 2]', 'is not valid JSON: unexpected "2" at column 4'],
    ['json', '"a\nb"', 'is not valid JSON: a string without end, or with a bad character or escape, at column 1'],
    ['json', '01', 'is not valid JSON: unexpected "1" at column 2'],
    ['json', Buffer.from([0x22, 0xff, 0x22]), 'is not valid JSON: it is not valid UTF-8'],
    ['cbor', 'nul', `can't become CBOR: unexpected "n" at column 1`],
    ['cbor', '{"a":1,"a":2}', `can't become CBOR: an object has the key "a" twice at column 1`],
    ['cbor', '{"$ext":1,"data":""}', `can't become CBOR: "$ext" is of MessagePack, CBOR has "$tag"`],
    [
      'cbor',
      '{"$tag":-1,"value":1}',
      `can't become CBOR: the object with "$tag" is not of the form {"$tag":NUMBER,"value":VALUE} at column 1`,
    ],
    [
      'cbor',
      '[\n{"$bytes":"?"}]',
      `can't become CBOR: the object with "$bytes" is not of the form {"$bytes":"BASE64"} at line 2, column 1`,
    ],
    ['cbor', '1e400', `can't become CBOR: a number is too large at column 1`],
    ['cbor', '"\\ud800"', `can't become CBOR: a string has half of a surrogate pair at column 1`],
    ['cbor', '['.repeat(1001), `can't become CBOR: it nests more than 1000 deep at column 1001`],
    [
      'msgpack',
      '18446744073709551616',
      `can't become MessagePack: the integer 18446744073709551616 has more than 64 bits`,
    ],
    [
      'msgpack',
      '{"$undefined":true}',
      `can't become MessagePack: "$undefined" is of CBOR, MessagePack has no such thing`,
    ],
  ] as const) {
    it(`refuse to read ${name}: ${JSON.stringify(text).slice(0, 40)}`, async () => {
      assert.equal(await faultOf(read(name, text)), message);
    });
  }

  for (const [name, digits, message] of [
    ['json', '5b31', 'it ends too early at column 3'],
    ['json', '5b'.repeat(1001) + '5d'.repeat(1001), 'it nests more than 1000 deep'],
    ['cbor', '8201', 'it ends too early'],
    ['cbor', '0101', 'more follows behind its value, from byte 1 on'],
    ['cbor', '1c', 'byte 1 begins no value'],
    ['cbor', 'f818', 'there is no simple value 24 of two bytes'],
    ['cbor', '62c328', 'the string that ends with byte 3 is not valid UTF-8'],
    ['cbor', '7f4161ff', 'a string has a piece that is none of it'],
    ['cbor', 'bf01ff', 'a map has a key without a value'],
    ['cbor', 'ff', 'byte 1 begins no value'],
    ['cbor', '9affffffff', 'it ends too early'],
    ['cbor', '9b00ffffffffffffff', 'it ends too early'],
    ['cbor', '7b0fffffffffffff', 'it ends too early'],
    ['cbor', '81'.repeat(5000), 'it nests more than 1000 deep'],
    ['cbor', 'c1'.repeat(5000), 'it nests more than 1000 deep'],
    ['cbor', '9f'.repeat(5000), 'it nests more than 1000 deep'],
    ['cbor', `9a00100000${'a0'.repeat(0x100000)}`, 'it has more than 1000000 values'],
    ['cbor', '9a00ffffff'.repeat(500), 'it ends too early'],
    ['msgpack', '9201', 'it ends too early'],
    ['msgpack', 'c0c0', 'more follows behind its value, from byte 1 on'],
    ['msgpack', 'c1', 'byte 1 begins no value'],
    ['msgpack', 'a2c328', 'the string that ends with byte 3 is not valid UTF-8'],
    ['msgpack', 'ddffffffff', 'it ends too early'],
    ['msgpack', 'dfffffffff', 'it ends too early'],
    ['msgpack', 'c6ffffffff00', 'it ends too early'],
    ['msgpack', '91'.repeat(5000), 'it nests more than 1000 deep'],
    ['msgpack', 'dd00ffffff'.repeat(500), 'it ends too early'],
    ['msgpack', `dd00100000${'80'.repeat(0x100000)}`, 'it has more than 1000000 values'],
  ] as const) {
    it(`refuse to show ${name}: ${digits.slice(0, 20)}`, async () => {
      assert.equal(await faultOf(shown(name, digits)), message);
    });
  }

  it('show what nests as deep as is taken', async () => {
    const depth = 1000;
    for (const [name, digits] of [
      ['cbor', `${'81'.repeat(depth)}00`],
      ['msgpack', `${'91'.repeat(depth)}00`],
    ] as const) {
      const text = await shown(name, digits);
      assert.equal(text, `${'['.repeat(depth)}0${']'.repeat(depth)}`);
      assert.equal(await read(name, text), digits);
    }
  });
});
