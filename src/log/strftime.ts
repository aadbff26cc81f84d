// strftime(3) in the C locale, for log_timestamp_format. Conversions that it does not know stay as they are, as in glibc.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const two = (value: number): string => String(value).padStart(2, '0');
const blank = (value: number): string => String(value).padStart(2, ' ');
const dayName = (time: Date): string => DAYS[time.getDay()] ?? '';
const monthName = (time: Date): string => MONTHS[time.getMonth()] ?? '';
const hour12 = (time: Date): number => time.getHours() % 12 || 12;
const mondayDay = (time: Date): number => (time.getDay() + 6) % 7;

/** Day of the year, from 0. */
function yearDay(time: Date): number {
  const day = Date.UTC(time.getFullYear(), time.getMonth(), time.getDate());
  return (day - Date.UTC(time.getFullYear(), 0, 1)) / 86_400_000;
}

/** Week and its year by ISO 8601: the week belongs to the year of its Thursday. */
function isoWeek(time: Date): { week: number; year: number } {
  const thursday = new Date(time.getFullYear(), time.getMonth(), time.getDate() - mondayDay(time) + 3);
  return { week: Math.floor(yearDay(thursday) / 7) + 1, year: thursday.getFullYear() };
}

/** Offset from UTC as +hhmm. */
function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

function zoneName(time: Date): string {
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(time);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
}

/** The conversions that stand for other formats. */
const SHORT_FOR: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

const CONVERSIONS: Readonly<Record<string, (time: Date) => string>> = {
  a: (time) => dayName(time).slice(0, 3),
  A: dayName,
  b: (time) => monthName(time).slice(0, 3),
  B: monthName,
  C: (time) => two(Math.floor(time.getFullYear() / 100)),
  d: (time) => two(time.getDate()),
  e: (time) => blank(time.getDate()),
  g: (time) => two(isoWeek(time).year % 100),
  G: (time) => String(isoWeek(time).year),
  h: (time) => monthName(time).slice(0, 3),
  H: (time) => two(time.getHours()),
  I: (time) => two(hour12(time)),
  j: (time) => String(yearDay(time) + 1).padStart(3, '0'),
  k: (time) => blank(time.getHours()),
  l: (time) => blank(hour12(time)),
  m: (time) => two(time.getMonth() + 1),
  M: (time) => two(time.getMinutes()),
  n: () => '\n',
  p: (time) => (time.getHours() < 12 ? 'AM' : 'PM'),
  P: (time) => (time.getHours() < 12 ? 'am' : 'pm'),
  s: (time) => String(Math.floor(time.getTime() / 1000)),
  S: (time) => two(time.getSeconds()),
  t: () => '\t',
  u: (time) => String(mondayDay(time) + 1),
  U: (time) => two(Math.floor((yearDay(time) + 7 - time.getDay()) / 7)),
  V: (time) => two(isoWeek(time).week),
  w: (time) => String(time.getDay()),
  W: (time) => two(Math.floor((yearDay(time) + 7 - mondayDay(time)) / 7)),
  y: (time) => two(time.getFullYear() % 100),
  Y: (time) => String(time.getFullYear()),
  z: offset,
  Z: zoneName,
  '%': () => '%',
};

/** The local time in a strftime(3) format. */
export function strftime(format: string, time: Date): string {
  return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => {
    const longer = SHORT_FOR[letter];
    if (longer !== undefined) return strftime(longer, time);
    return CONVERSIONS[letter]?.(time) ?? whole;
  });
}
