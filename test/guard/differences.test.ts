// The page about differences from Mosquitto's tools is made from the table and the record; what is committed is what would
// be made now.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DIFFERENCES } from '../interop/differential-differences.ts';
import { PAGE, pageText, readRecord } from '../interop/differential-record.ts';
import { CASES } from '../interop/differential-suite.ts';
import { textOf } from './sources.ts';

const listed = DIFFERENCES.flatMap(({ lines }) => lines);

test(`${PAGE} is up to date`, () => {
  assert.ok(textOf(PAGE) === pageText(readRecord()), 'it differs from what "npm run differences" makes now');
});

test('the record has the listed lines and no others', () => {
  assert.deepEqual(Object.keys(readRecord()).sort(), [...listed].sort());
});

test('every line has a name of its own, and every listed difference is a line, once', () => {
  const names = CASES.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
  assert.ok(names.length >= 300);
  assert.deepEqual(
    listed.filter((name, i) => !names.includes(name) || listed.indexOf(name) !== i),
    [],
  );
});
