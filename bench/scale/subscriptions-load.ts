// Publishing beside very many subscriptions that match nothing, some of whose clients come and go.
//
//   node subscriptions-load.js '{"port":1883,"pid":4711,"sessions":10000,"each":100,"kind":"plain","seconds":3,"windows":3}'
import process from 'node:process';
import { cpuNanoseconds } from '../measure.ts';
import { Client, many, wait } from './client.ts';
import { payloadStart, publishPacket } from './packets.ts';

export interface SubscriptionsOptions {
  readonly port: number;
  readonly pid: number;
  readonly sessions: number;
  /** Subscriptions of each session. */
  readonly each: number;
  readonly kind: 'plain' | 'wildcards';
  readonly seconds: number;
  /** How often each of the three is measured: publishing, coming and going, both. */
  readonly windows: number;
}

/** CPU of the broker in nanoseconds. */
export interface SubscriptionsResult {
  readonly publish: readonly number[];
  /** For each delivery while clients come and go, less what these cost. */
  readonly publishInChurn: readonly number[];
  readonly reconnect: readonly number[];
  /** Clients that came back in a second. */
  readonly churn: number;
}

const PAIRS = 10;
const TOPICS = 10;
const WINDOW = 20;
const PAYLOAD = 64;
/** Share of the clients that come back each second. */
const CHURN = 0.1;
/** Subscriptions that a client makes again when it comes back. */
const ANEW = 10;
const TICK_MS = 10;

const { port, pid, sessions, each, kind, seconds, windows }: SubscriptionsOptions = JSON.parse(process.argv[2] ?? '');

const filterOf = (session: number, index: number): string =>
  kind === 'plain' ? `device/${session}/sensor/${index}` : `+/device-${session}/sensor-${index}/#`;

/** Enters with a session that stays, and subscribes to the first `count` of its filters. */
async function enter(session: number, count: number): Promise<Client> {
  const client = new Client(port, `session-${session}`, false);
  await client.connected;
  await client.subscribe(Array.from({ length: count }, (_none, index) => filterOf(session, index)));
  return client;
}

const clients = await many(sessions, 50, (session) => enter(session, each));

let deliveries = 0;
let publishes = false;
const wake: (() => void)[] = [];

for (let pair = 0; pair < PAIRS; pair++) {
  const [publisher, subscriber] = [new Client(port, `publisher-${pair}`), new Client(port, `subscriber-${pair}`)];
  await Promise.all([publisher.connected, subscriber.connected]);
  await subscriber.subscribe([`room/${pair}/+/temperature`]);
  const payload = Buffer.alloc(PAYLOAD);
  let sent = 0;
  let seen = 0;
  const fill = (): void => {
    const packets: Buffer[] = [];
    while (sent < seen + WINDOW) {
      payload.writeUInt32BE(sent);
      packets.push(publishPacket(`room/${pair}/${sent % TOPICS}/temperature`, payload));
      sent += 1;
    }
    if (packets.length > 0) publisher.socket.write(Buffer.concat(packets));
  };
  subscriber.onPublish = (first, buffer, start) => {
    if (buffer.readUInt32BE(payloadStart(first, buffer, start)) !== seen) throw new Error('a message is out of order');
    seen += 1;
    deliveries += 1;
    // Always as many at a time, however busy this process is: what comes together costs the broker less.
    if (publishes && seen === sent) fill();
  };
  wake.push(fill);
}

let returned = 0;
let next = 0;

/** Has clients come back at their pace until it is called off; resolves when the last is in. */
function startChurn(): () => Promise<void> {
  const perTick = (sessions * CHURN * TICK_MS) / 1000;
  const running = new Set<Promise<void>>();
  let owed = 0;
  const timer = setInterval(() => {
    for (owed += perTick; owed >= 1; owed -= 1) {
      const session = next++ % sessions;
      const one = clients[session]!.leave()
        .then(() => enter(session, ANEW))
        .then((client) => {
          clients[session] = client;
          returned += 1;
          running.delete(one);
        });
      running.add(one);
    }
  }, TICK_MS);
  return async () => {
    clearInterval(timer);
    await Promise.all(running);
  };
}

async function during(
  isPublishing: boolean,
  isChurning: boolean,
): Promise<{ cpu: number; deliveries: number; returned: number }> {
  const end = isChurning ? startChurn() : null;
  publishes = isPublishing;
  if (isPublishing) for (const fill of wake) fill();
  await wait(0.5);
  const before = { cpu: cpuNanoseconds(pid), deliveries, returned };
  await wait(seconds);
  const result = {
    cpu: cpuNanoseconds(pid) - before.cpu,
    deliveries: deliveries - before.deliveries,
    returned: returned - before.returned,
  };
  publishes = false;
  await end?.();
  await wait(0.2);
  return result;
}

await during(true, false);
const result = { publish: [] as number[], publishInChurn: [] as number[], reconnect: [] as number[] };
let churned = 0;
for (let window = 0; window < windows; window++) {
  const quiet = await during(true, false);
  result.publish.push(quiet.cpu / quiet.deliveries);
  if (sessions * CHURN < 1) continue;
  const churn = await during(false, true);
  const both = await during(true, true);
  const reconnect = churn.cpu / churn.returned;
  churned += churn.returned;
  result.reconnect.push(reconnect);
  result.publishInChurn.push((both.cpu - both.returned * reconnect) / both.deliveries);
}
process.stdout.write(JSON.stringify({ ...result, churn: churned / windows / seconds } satisfies SubscriptionsResult));
process.exit(0);
