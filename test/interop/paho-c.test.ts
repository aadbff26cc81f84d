// The command-line clients of Paho's C libraries, the asynchronous (paho_c_pub, paho_c_sub) and the synchronous one
// (paho_cs_pub, paho_cs_sub), with mqtt-broker. The other examples of the package talk to one address of the internet only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Program, without } from '../support/process.ts';
import { startPlaces } from './library-play.ts';
import type { Place } from './player.ts';

const SCHEMES = { tcp: 'tcp', ws: 'ws', tls: 'ssl' } as const;
const LIBRARIES = ['c', 'cs'] as const;

/** Where a program is to connect to. */
function target({ kind, port, ca }: Place): string[] {
  const path = kind === 'ws' ? '/mqtt' : '';
  return ['-c', `${SCHEMES[kind]}://localhost:${port}${path}`, ...(kind === 'tls' ? ['--cafile', ca] : [])];
}

let programs = 0;

/** Starts a program with a client id of its own. */
function start(library: string, role: 'pub' | 'sub', place: Place, ...args: string[]): Program {
  programs += 1;
  return new Program(`paho_${library}_${role}`, [...target(place), '-i', `paho-c-${programs}`, ...args]);
}

/** Publishes; a program that can't ends with another code than 0. */
async function publish(library: string, place: Place, ...args: string[]): Promise<void> {
  const { code, stderr, stdout } = await start(library, 'pub', place, ...args).ended;
  assert.equal(code, 0, `${stdout}${stderr}`);
}

/**
 * Starts a subscriber and waits until it gets a retained message, which comes once its SUBSCRIBE has been dealt with: the
 * programs do not say when that is.
 */
async function subscribe(library: string, place: Place, topic: string, ...args: string[]): Promise<Program> {
  await publish(library, place, '-r', '-q', '1', '-t', `${topic}/ready`, '-m', 'ready');
  const program = start(library, 'sub', place, '-t', `${topic}/#`, ...args);
  await program.seen('ready\n', 'stdout');
  return program;
}

const skip = without('paho_c_pub', 'paho_c_sub', 'paho_cs_pub', 'paho_cs_sub');

test("Paho's C clients with mqtt-broker", { skip, concurrency: true }, async (context) => {
  const { plain, ws, tls } = await startPlaces(context, 'mqtt-broker');
  const plays: Promise<void>[] = [];
  for (const library of LIBRARIES) {
    for (const version of ['31', '311', '5']) {
      const says = ['-V', version];
      const name = `paho_${library}, version ${version}`;
      const extra = version === '5' ? ['--user-property', 'z', '1', '--message-expiry', '60'] : [];
      for (const place of version === '31' ? [plain] : [plain, ws, tls]) {
        const play = async (): Promise<void> => {
          const topic = `${library}/${version}/${place.kind}`;
          const reader = await subscribe(library, place, topic, ...says, '-q', '2');
          const before = reader.stdout.length;
          for (const qos of ['0', '1', '2']) {
            await publish(library, place, ...says, '-q', qos, '-t', `${topic}/${qos}`, '-m', `grüße ${qos}`, ...extra);
          }
          await reader.seen((text) => text.includes('grüße 2\n'), 'stdout');
          const found = reader.stdout.slice(before).match(/grüße \d/g);
          assert.deepEqual(found, ['grüße 0', 'grüße 1', 'grüße 2']);
          if (version === '5') assert.match(reader.stdout, /USER_PROPERTY key z value 1/);
          await reader.stop();
        };
        plays.push(context.test(`${name}, every QoS over ${place.kind}`, play));
      }
      const will = async (): Promise<void> => {
        const topic = `${library}/${version}/will`;
        const watcher = await subscribe(library, plain, topic, ...says, '-q', '1');
        // Against its own help, --will-retain takes a word behind it.
        const last = [
          '--will-topic',
          `${topic}/last`,
          '--will-payload',
          'gone',
          '--will-qos',
          '1',
          '--will-retain',
          'yes',
        ];
        const dying = await subscribe(library, plain, `${topic}/other`, ...says, ...last);
        dying.signal('SIGKILL');
        await watcher.seen('gone\n', 'stdout');
        const late = await subscribe(library, plain, topic, ...says, '-q', '1');
        await late.seen('gone\n', 'stdout');
        for (const program of [watcher, late]) await program.stop();
      };
      plays.push(context.test(`${name}, a will that is kept`, will));
    }
  }
  await Promise.all(plays);
});
