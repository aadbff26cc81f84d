// The command-line clients of a test: Debian's or the project's own, which take the same options.
import process from 'node:process';
import { built, Program, type Result, type StartOptions, whereIs } from '../support/process.ts';

/** Whose tools a test uses. */
export type Vendor = 'mosquitto' | 'mqtt-suite';

/** What a tool does. */
export type Role = 'pub' | 'sub' | 'rr' | 'passwd';

/** Starts a tool. */
function startTool(vendor: Vendor, role: Role, args: readonly string[], options: StartOptions = {}): Program {
  if (vendor === 'mosquitto') return new Program(whereIs(`mosquitto_${role}`) ?? `mosquitto_${role}`, args, options);
  return new Program(process.execPath, [built(`mqtt-${role}`), ...args], options);
}

/** Runs a tool to its end. */
export const runTool = (
  vendor: Vendor,
  role: Role,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Result> => startTool(vendor, role, args, options).ended;

let lastId = 0;

/** A client id that no other client of this process has. */
export const newId = (): string => `client-${++lastId}`;

/** Starts a subscriber and waits until the broker says that it has sent the SUBACK. */
export async function subscribe(
  vendor: Vendor,
  broker: Program,
  args: readonly string[],
  id = newId(),
): Promise<Program> {
  const before = broker.stderr.length;
  const program = startTool(vendor, 'sub', ['-i', id, ...args]);
  const ready = `Sending SUBACK to ${id}\n`;
  await Promise.race([
    broker.seen((text) => text.indexOf(ready, before) >= 0, 'stderr'),
    program.ended.then((result) => {
      throw new Error(`the subscriber ended early: ${JSON.stringify(result)}`);
    }),
  ]);
  return program;
}
