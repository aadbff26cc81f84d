import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clutter } from '../../../src/broker/store/clutter.ts';

const BOUNDS = { segment: 100, slack: 200, cleaned: 100 };

/** A log in which cleaning the oldest segment leaves this many bytes of it, and its bytes go to new segments. */
class Log {
  readonly clutter = new Clutter(BOUNDS);
  readonly sizes: number[];
  liveBytes: number;
  oldest = 1;
  cleanings = 0;

  constructor(segments: number, liveBytes: number) {
    this.sizes = new Array<number>(segments).fill(100);
    this.liveBytes = liveBytes;
  }

  get totalBytes(): number {
    return this.sizes.reduce((sum, size) => sum + size, 0);
  }

  get asks(): boolean {
    const { totalBytes, liveBytes, sizes } = this;
    const openSegment = this.oldest + sizes.length;
    return this.clutter.asksFor(this.oldest, { segments: sizes.length + 1, totalBytes, liveBytes, openSegment });
  }

  /** Cleans while it is asked for, and gives the number of segments cleaned. */
  clean(survivors: () => number, most = 1000): number {
    let cleaned = 0;
    let moved = 0;
    for (; this.sizes.length > 0 && cleaned < most && this.asks; cleaned += 1) {
      this.sizes.shift();
      this.oldest += 1;
      moved += survivors();
      if (moved >= 100) {
        this.sizes.push(moved);
        moved = 0;
      }
    }
    return cleaned;
  }
}

test('what died while all was cleaned is cleaned away as well', () => {
  const log = new Log(20, 400);
  // All that counts when the cleaning begins is moved, and most of it has died when it is over.
  assert.equal(
    log.clean(() => 100, 19),
    19,
  );
  assert.ok(log.totalBytes > 2 * log.liveBytes + BOUNDS.slack);
  let left = 4;
  log.clean(() => {
    left -= 1;
    return left >= 0 ? 100 : 0;
  });
  assert.ok(log.totalBytes <= 2 * log.liveBytes + BOUNDS.slack, `${log.totalBytes} bytes for ${log.liveBytes}`);
});

test('where all that is there counts, whatever is reckoned, cleaning ends after it did not help', () => {
  const log = new Log(20, 400);
  // All of it and the segment that was open then, twice: the second time shows that it did not help.
  assert.equal(
    log.clean(() => 100),
    42,
  );
  assert.equal(log.asks, false);
  // It is tried again when there is more than twice as much.
  log.sizes.push(...new Array<number>(21).fill(100));
  assert.equal(log.asks, false);
  log.sizes.push(...new Array<number>(2).fill(100));
  assert.equal(log.asks, true);
});

test('a log that became small enough begins anew', () => {
  const log = new Log(20, 400);
  assert.ok(log.asks);
  log.liveBytes = 2000;
  assert.equal(log.asks, false);
  log.liveBytes = 400;
  assert.equal(
    log.clean(() => 100),
    42,
  );
});
