import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dateField, strftime } from '../../../src/util/strftime.ts';

const all = (date: Date, letters: string): string => [...letters].map((letter) => dateField(letter, date)).join('|');

describe('one conversion', () => {
  it('writes all conversions in local time', () => {
    const date = new Date(2026, 10, 1, 4, 7, 46);
    assert.equal(
      all(date, 'aAbBcCdDeFgGhHIjklmM'),
      'Sun|Sunday|Nov|November|Sun Nov  1 04:07:46 2026|20|01|11/01/26| 1|2026-11-01|26|2026|Nov|04|04|305| 4| 4|11|07',
    );
    assert.equal(
      all(date, 'npPrRStTuUVwWxXyY'),
      '\n|AM|am|04:07:46 AM|04:07|46|\t|04:07:46|7|44|44|0|43|11/01/26|04:07:46|26|2026',
    );
    assert.equal(dateField('s', date), String(date.getTime() / 1000));
    assert.equal(all(new Date(2026, 0, 1, 0, 30), 'IlpP'), '12|12|AM|am');
    assert.equal(all(new Date(2026, 0, 1, 13, 30), 'IlpP'), '01| 1|PM|pm');
  });

  it('counts weeks as C and ISO 8601 do at the turn of the year', () => {
    assert.equal(all(new Date(2021, 0, 1), 'UVWGgj'), '00|53|00|2020|20|001');
    assert.equal(all(new Date(2024, 11, 31), 'UVWGj'), '52|01|53|2025|366');
    assert.equal(all(new Date(2023, 0, 1), 'UVWG'), '01|52|00|2022');
  });

  it('hands unknown letters back', () => {
    assert.equal(all(new Date(), 'QEJ!'), '%Q|%E|%J|%!');
    assert.equal(dateField('constructor', new Date()), '%constructor');
  });
});

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
