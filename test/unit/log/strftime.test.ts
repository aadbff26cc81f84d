import assert from 'node:assert/strict';
import { it } from 'node:test';
import { strftime } from '../../../src/log/strftime.ts';

/** What C's strftime gives for 2024-12-30 09:05:07 and 2021-01-03 23:59:00 (C locale). */
const CASES: readonly (readonly [string, string, string])[] = [
  ['%Y-%m-%dT%H:%M:%S', '2024-12-30T09:05:07', '2021-01-03T23:59:00'],
  ['%a %A %b %B %h', 'Mon Monday Dec December Dec', 'Sun Sunday Jan January Jan'],
  ['%c', 'Mon Dec 30 09:05:07 2024', 'Sun Jan  3 23:59:00 2021'],
  ['%D %x %F', '12/30/24 12/30/24 2024-12-30', '01/03/21 01/03/21 2021-01-03'],
  ['%R %T %X %r', '09:05 09:05:07 09:05:07 09:05:07 AM', '23:59 23:59:00 23:59:00 11:59:00 PM'],
  ['%C %y %e %j %k %l %I %p %P', '20 24 30 365  9  9 09 AM am', '20 21  3 003 23 11 11 PM pm'],
  ['%u %w %U %W %V %G %g', '1 1 52 53 01 2025 25', '7 0 01 00 53 2020 20'],
  ['%t|%n|%%|%Q|%', '\t|\n|%|%Q|%', '\t|\n|%|%Q|%'],
];

for (const [format, first, second] of CASES) {
  it(`formats ${format}`, () => {
    assert.equal(strftime(format, new Date(2024, 11, 30, 9, 5, 7)), first);
    assert.equal(strftime(format, new Date(2021, 0, 3, 23, 59, 0)), second);
  });
}

it('formats the epoch and the zone', () => {
  const time = new Date(1_700_000_000_999);
  assert.equal(strftime('%s', time), '1700000000');
  const match = /^([+-])(\d\d)(\d\d)$/.exec(strftime('%z', time));
  const minutes = Number(`${match?.[1]}1`) * (Number(match?.[2]) * 60 + Number(match?.[3]));
  assert.equal(minutes + time.getTimezoneOffset(), 0);
  assert.notEqual(strftime('%Z', time), '');
});
