// TCP ports for programs that can't be asked to pick one themselves. They lie below the range from which systems give ports
// to outgoing connections and to port 0, for such a port may be taken again before the program has it; and every test
// process has a hundred of its own, for the same reason.
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';

const LOWEST = 10_000;
const EACH = 100;
const PROCESSES = 200;

/** The process's next port to try, counted within its hundred. */
let next = 0;

/** Whether nobody has a port on an address now; an address that the machine does not have is nobody's. */
async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EADDRINUSE';
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** A port that nobody uses, and that nobody else who asks here is given. */
export async function freePort(): Promise<number> {
  const first = LOWEST + (process.pid % PROCESSES) * EACH;
  for (let tries = 0; tries < EACH; tries++) {
    const port = first + (next++ % EACH);
    if ((await isFree(port, '127.0.0.1')) && (await isFree(port, '::1'))) return port;
  }
  throw new Error(`none of the ports ${first} to ${first + EACH - 1} is free`);
}

/** Several different free ports. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let i = 0; i < count; i++) ports.push(await freePort());
  return ports;
}
