// The same command lines with mosquitto's and the project's tools and brokers: mosquitto's tools with mosquitto set the
// measure, and every other pair must print the same and end with the same codes.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { type BrokerKind, startBroker } from '../support/mosquitto.ts';
import { type Program, type Result, without } from '../support/process.ts';
import { PLAYS, type Play } from './tool-matrix.ts';
import { newId, runTool, subscribe, type Vendor } from './tools.ts';

const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv5'];

/** A started broker. */
interface Venue {
  readonly kind: BrokerKind;
  readonly broker: Program;
  readonly at: readonly string[];
}

async function openVenue(context: TestContext, kind: BrokerKind): Promise<Venue> {
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_packet_size 50000'];
  const broker = await startBroker(context, kind, lines);
  return { kind, broker, at: ['-h', '127.0.0.1', '-p', String(port)] };
}

/** JSON output without the time in it. */
const timeless = (text: string): string => text.replace(/"tst":"[^"]*"/g, '"tst":"*"');

/** What the tools of a play left behind, in order; client ids that a play names get the play's own ending. */
async function outcome(play: Play, version: string, vendor: Vendor, { broker, at }: Venue): Promise<string[]> {
  const running = new Map<string, Program>();
  const found: string[] = [];
  const tell = ({ stdout, code }: Result): void => void found.push(`${timeless(stdout)}(${code})`);
  const label = `${version}-${vendor}`;
  const common = [...at, '-V', version];
  const unique = (args: readonly string[]): string[] => {
    return args.map((arg, i) => (args[i - 1] === '-i' ? `${arg}-${label}` : arg));
  };
  for (const step of play.steps) {
    if ('pub' in step) {
      const input = step.input === undefined ? {} : { input: step.input };
      tell(await runTool(vendor, 'pub', [...common, ...unique(step.pub)], input));
    } else if ('sub' in step) {
      const id = step.sub.includes('-i') ? unique(step.sub)[step.sub.indexOf('-i') + 1] : newId();
      running.set(step.as, await subscribe(vendor, broker, [...common, '-W', '20', ...unique(step.sub)], id));
    } else if ('read' in step) {
      tell(await runTool(vendor, 'sub', [...common, '-W', '20', ...unique(step.read)]));
    } else if ('rr' in step) {
      const responder = await subscribe(vendor, broker, [
        ...common,
        '-W',
        '20',
        '-C',
        '1',
        '-t',
        step.topic,
        '-F',
        '%t|%R|%D|%P|%p',
      ]);
      const id = newId();
      const before = broker.stderr.length;
      const asking = runTool(vendor, 'rr', [...common, '-i', id, '-W', '20', ...step.rr]);
      tell(await responder.ended);
      await broker.seen((text) => text.indexOf(`Sending SUBACK to ${id}\n`, before) >= 0, 'stderr');
      tell(await runTool(vendor, 'pub', [...common, ...step.answer]));
      tell(await asking);
    } else if ('wait' in step) {
      const program = running.get(step.wait);
      assert.ok(program !== undefined, step.wait);
      tell(await program.ended);
    } else running.get(step.kill)?.signal('SIGKILL');
  }
  return found;
}

const skip = without('mosquitto', 'mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr');

test('command lines of all pairs of tools and brokers', { skip, concurrency: 4 }, async (context) => {
  const [mosquitto, own] = [await openVenue(context, 'mosquitto'), await openVenue(context, 'mqtt-broker')];
  const plays = PLAYS.map((play) => context.test(play.name, () => compare(play, mosquitto, own)));
  await Promise.all(plays);
});

/**
 * Plays in every version; the first pair sets the measure. The project's tools with its own broker are the business of
 * other tests.
 */
async function compare(play: Play, mosquitto: Venue, own: Venue): Promise<void> {
  for (const version of play.versions ?? VERSIONS) {
    const measure = await outcome(play, version, 'mosquitto', mosquitto);
    for (const [vendor, venue] of [
      ['mosquitto', own],
      ['mqtt-suite', mosquitto],
    ] as const) {
      if (play.tools !== undefined && play.tools !== vendor) continue;
      const found = await outcome(play, version, vendor, venue);
      assert.deepEqual(found, measure, `${version}: tools of ${vendor} with ${venue.kind}`);
    }
  }
}
