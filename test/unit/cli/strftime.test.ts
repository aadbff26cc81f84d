import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isoMicroseconds, isoSeconds, strftime, unixTime, wallTime } from '../../../src/cli/strftime.ts';

const all = (date: Date, letters: string): string => [...letters].map((letter) => strftime(letter, date)).join('|');

describe('strftime', () => {
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
    assert.equal(strftime('s', date), String(date.getTime() / 1000));
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
    assert.equal(strftime('constructor', new Date()), '%constructor');
  });

  it('writes whole times', () => {
    const date = new Date(Date.UTC(2026, 10, 21, 1, 58, 35));
    const time = { date, seconds: date.getTime() / 1000, nanoseconds: 60_243_153 };
    assert.equal(unixTime(time), `${time.seconds}.060243153`);
    assert.equal(new Date(isoSeconds(time)).getTime(), date.getTime());
    assert.match(isoMicroseconds(time), /:35\.060243[+-]\d{4}$/);
  });

  it('follows the wall clock', () => {
    const before = Date.now();
    const time = wallTime();
    const after = Date.now();
    const now = time.seconds * 1000 + time.nanoseconds / 1e6;
    assert.ok(now >= before - 6 && now <= after + 6);
  });
});
