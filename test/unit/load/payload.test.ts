// Templates, payloads and the stamps in them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isStamped, type PayloadSource, payloadOf } from '../../../src/load/payload.ts';
import { readStamp, STAMP_SIZE, type Stamp, writeStampHead, writeStampTail } from '../../../src/load/stamp.ts';
import { fill, hasPlace, unknownPlace } from '../../../src/load/template.ts';

const names = { number: 7, clientId: 'tom-7', username: 'tom' };
const word = fc.integer({ min: 0, max: 0xffff_ffff });

test('templates are filled in once, and a percent sign can be written', () => {
  assert.equal(fill('a/%i/%c/%u/%%i/%s', names), 'a/7/tom-7/tom/%i/%s');
  assert.equal(fill('%c', { ...names, clientId: '%i' }), '%i');
});

test('a place that is none is named', () => {
  assert.equal(unknownPlace('a/%i/%%x', ['i']), null);
  assert.equal(unknownPlace('a/%x', ['i']), '%x');
  assert.equal(unknownPlace('a/%c', ['i']), '%c');
  assert.equal(unknownPlace('half %', ['i']), '%');
  assert.equal(hasPlace('a/%%i', 'i'), false);
  assert.equal(hasPlace('a/%%%i', 'i'), true);
});

test('a stamp comes out as it went in, as bytes and as text', () => {
  const sources: PayloadSource[] = [
    { kind: 'size', size: STAMP_SIZE, stamped: true },
    { kind: 'size', size: 100, stamped: true },
    { kind: 'template', template: '{"id":"%c","stamp":"%s","grün":"100 %%"}' },
  ];
  fc.assert(
    fc.property(fc.constantFrom(...sources), word, word, word, word, (source, run, publisher, sequence, time) => {
      const { bytes, stampAt, isText } = payloadOf(source, names);
      writeStampHead(bytes, stampAt, isText, run, publisher);
      writeStampTail(bytes, stampAt, isText, sequence, time);
      const stamp: Stamp = { run: 0, publisher: 0, sequence: 0, time: 0 };
      const chunk = Buffer.concat([Buffer.from('xyz'), bytes, Buffer.from('xyz')]);
      assert.ok(readStamp(stamp, chunk, 3, 3 + bytes.length));
      assert.deepEqual(stamp, { run, publisher, sequence, time });
      if (isText) assert.equal(JSON.parse(bytes.toString()).id, 'tom-7');
    }),
  );
});

test('payloads of others have no stamp, and do no harm', () => {
  const stamp: Stamp = { run: 0, publisher: 0, sequence: 0, time: 0 };
  const almost = Buffer.from(`6d716273${'x'.repeat(40)}`);
  for (const payload of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(64, 'm'), almost]) {
    assert.equal(readStamp(stamp, payload, 0, payload.length), false);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readStamp(stamp, Buffer.from(bytes), 0, bytes.length);
    }),
  );
});

test('payloads that have no room, or are not to carry one, have no stamp', () => {
  const payloads: PayloadSource[] = [
    { kind: 'size', size: STAMP_SIZE - 1, stamped: true },
    { kind: 'size', size: 64, stamped: false },
    { kind: 'bytes', bytes: Buffer.alloc(64) },
    { kind: 'template', template: 'hello %%s %i' },
  ];
  for (const source of payloads) {
    assert.equal(isStamped(source), false);
    assert.equal(payloadOf(source, names).stampAt, -1);
  }
  assert.equal(payloadOf({ kind: 'template', template: 'hello %%s %i' }, names).bytes.toString(), 'hello %s 7');
});
