// Points in time as the tools print them: finer than a Date, in local time.
import { dateField } from '../util/strftime.ts';

/** A point in time: whole seconds since 1970 and the nanoseconds within the second. */
export interface WallTime {
  readonly date: Date;
  readonly seconds: number;
  readonly nanoseconds: number;
}

// Milliseconds between the monotonic clock and the wall clock, taken again when somebody sets the latter.
// Taken when a time is first asked for: loading the module behind `performance` takes milliseconds.
let offset: number | null = null;

/** The wall clock with the resolution of the monotonic one (microseconds and better). */
export function wallTime(): WallTime {
  const wall = Date.now();
  offset ??= performance.timeOrigin;
  let now = offset + performance.now();
  if (Math.abs(now - wall) > 5) {
    offset += wall - now;
    now = wall;
  }
  const seconds = Math.floor(now / 1000);
  const nanoseconds = Math.min(999_999_999, Math.floor((now - seconds * 1000) * 1e6));
  return { date: new Date(now), seconds, nanoseconds };
}

/** `2026-11-21T01:58:35+0000`, in local time. */
export function isoSeconds(time: WallTime): string {
  return `${dateField('F', time.date)}T${dateField('T', time.date)}${dateField('z', time.date)}`;
}

/** `2026-11-21T01:58:34.448812+0000`, in local time. */
export function isoMicroseconds(time: WallTime): string {
  const micro = String(Math.floor(time.nanoseconds / 1000)).padStart(6, '0');
  return `${dateField('F', time.date)}T${dateField('T', time.date)}.${micro}${dateField('z', time.date)}`;
}

/** `1795226315.060243153`: seconds since 1970. */
export function unixTime(time: WallTime): string {
  return `${time.seconds}.${nanoseconds(time)}`;
}

/** The nanoseconds within the second, nine digits. */
export function nanoseconds(time: WallTime): string {
  return String(time.nanoseconds).padStart(9, '0');
}
