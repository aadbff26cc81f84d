// Dates as the C library's strftime(3) writes them in the C locale and in local time: for log_timestamp_format, and for
// `-F @X` of the tools.

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
const DAY_MS = 86_400_000;

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));
const blankTwo = (value: number): string => (value < 10 ? ` ${value}` : String(value));
const hour12 = (date: Date): number => date.getHours() % 12 || 12;

/** The offset from UTC as `+hhmm`. */
function zoneOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** The short name of the local zone, for example `CET`. */
function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
}

/** Days since the first of January. */
function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((day - Date.UTC(date.getFullYear(), 0, 1)) / DAY_MS);
}

/** Week of the year (0 … 53), where weeks begin on `first` (0 Sunday, 1 Monday) and the first such day begins week 1. */
function weekOfYear(date: Date, first: number): number {
  return Math.floor((dayOfYear(date) + 7 - ((date.getDay() - first + 7) % 7)) / 7);
}

/** Year and week of ISO 8601: the week belongs to the year that has its Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 3 - ((date.getDay() + 6) % 7));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

const monthDayYear = (date: Date): string =>
  `${two(date.getMonth() + 1)}/${two(date.getDate())}/${two(date.getFullYear() % 100)}`;
const time = (date: Date): string => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
const meridiem = (date: Date): string => (date.getHours() < 12 ? 'AM' : 'PM');
const monthName = (date: Date): string => (MONTHS[date.getMonth()] as string).slice(0, 3);
const dayName = (date: Date): string => (DAYS[date.getDay()] as string).slice(0, 3);

const CONVERSIONS: Readonly<Record<string, (date: Date) => string>> = {
  a: dayName,
  A: (date) => DAYS[date.getDay()] as string,
  b: monthName,
  B: (date) => MONTHS[date.getMonth()] as string,
  c: (date) => `${dayName(date)} ${monthName(date)} ${blankTwo(date.getDate())} ${time(date)} ${date.getFullYear()}`,
  C: (date) => two(Math.floor(date.getFullYear() / 100)),
  d: (date) => two(date.getDate()),
  D: monthDayYear,
  e: (date) => blankTwo(date.getDate()),
  F: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  g: (date) => two(isoWeek(date).year % 100),
  G: (date) => String(isoWeek(date).year),
  h: monthName,
  H: (date) => two(date.getHours()),
  I: (date) => two(hour12(date)),
  j: (date) => String(dayOfYear(date) + 1).padStart(3, '0'),
  k: (date) => blankTwo(date.getHours()),
  l: (date) => blankTwo(hour12(date)),
  m: (date) => two(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  n: () => '\n',
  p: meridiem,
  P: (date) => meridiem(date).toLowerCase(),
  r: (date) => `${two(hour12(date))}:${two(date.getMinutes())}:${two(date.getSeconds())} ${meridiem(date)}`,
  R: (date) => `${two(date.getHours())}:${two(date.getMinutes())}`,
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  S: (date) => two(date.getSeconds()),
  t: () => '\t',
  T: time,
  u: (date) => String(date.getDay() || 7),
  U: (date) => two(weekOfYear(date, 0)),
  V: (date) => two(isoWeek(date).week),
  w: (date) => String(date.getDay()),
  W: (date) => two(weekOfYear(date, 1)),
  x: monthDayYear,
  X: time,
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  z: zoneOffset,
  Z: zoneName,
  '%': () => '%',
};

/** One conversion in local time; like the C library, an unknown letter comes back as `%` and itself. */
export function dateField(letter: string, date: Date): string {
  const conversion = Object.hasOwn(CONVERSIONS, letter) ? CONVERSIONS[letter] : undefined;
  return conversion === undefined ? `%${letter}` : conversion(date);
}

/** The local time in a strftime(3) format. */
export function strftime(format: string, date: Date): string {
  return format.replace(/%([a-zA-Z%])/g, (_, letter: string) => dateField(letter, date));
}
