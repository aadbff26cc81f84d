// The clause register is complete: each normative statement of MQTT 5.0 and MQTT 3.1.1 that binds a server or a client has
// a case on that side, each citation is of a statement that exists, and test/wire/CLAUSES.md says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { citations, clausesOf, misplaced, register, STANDARDS, unproved } from '../support/clauses.ts';
import { textOf } from './sources.ts';

const cited = citations();

for (const standard of STANDARDS) {
  const clauses = clausesOf(standard);

  test(`${standard.title}: no statement stands twice`, () => {
    const numbers = clauses.map(({ number }) => number);
    assert.deepEqual(
      numbers.filter((number, index) => numbers.indexOf(number) !== index),
      [],
    );
  });

  test(`${standard.title}: every statement has its case`, () => {
    assert.deepEqual(unproved(clauses, cited), []);
  });
}

test('every citation is of a statement that exists, in a case that runs for its version', () => {
  assert.deepEqual(misplaced(STANDARDS.flatMap(clausesOf), cited), []);
});

test('a statement without a case, and a citation of none, are noticed', () => {
  const clause = { number: 'MQTT-9.9.9-1', binds: 'both', asks: 'all', why: '' } as const;
  const citation = { file: 'a.wire', name: 'a case', versions: [4, 5] } as const;
  const server = { ...citation, number: clause.number, side: 'server' } as const;
  assert.equal(unproved([clause], []).length, 2);
  assert.equal(unproved([clause], [server]).length, 1);
  assert.equal(unproved([clause], [server, { ...server, side: 'client' }]).length, 0);
  assert.equal(misplaced([clause], [server]).length, 0);
  assert.equal(misplaced([clause], [{ ...server, versions: [3, 4] }]).length, 1);
  assert.equal(misplaced([clause], [{ ...server, number: 'MQTT-9.9.9-2' }]).length, 1);
});

test('test/wire/CLAUSES.md is up to date', () => {
  assert.ok(textOf('test/wire/CLAUSES.md') === register(), 'it differs from what "npm run clauses" makes now');
});
