import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isoMicroseconds, isoSeconds, unixTime, wallTime } from '../../../src/cli/wall-time.ts';

describe('points in time', () => {
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
