// The line of --latency, in Mosquitto's form: a number with the digits of all nanoseconds, and the unit that suits it.

/** Units with the nanoseconds that one has and the digits behind the point, the largest first. */
const UNITS = [
  { name: 's', size: 1_000_000_000n, digits: 9 },
  { name: 'ms', size: 1_000_000n, digits: 6 },
  { name: 'µs', size: 1_000n, digits: 3 },
] as const;

/** The line about a time in nanoseconds, for example `Latency: 501.434064ms`. */
export function latencyLine(nanoseconds: bigint): string {
  const unit = UNITS.find(({ size }) => nanoseconds >= size);
  if (unit === undefined) return `Latency: ${nanoseconds}ns`;
  const rest = String(nanoseconds % unit.size).padStart(unit.digits, '0');
  return `Latency: ${nanoseconds / unit.size}.${rest}${unit.name}`;
}
