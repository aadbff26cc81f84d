// What clients and brokers of different makers must do together. Each scenario is played by one maker's tools against the
// other maker's broker; the same text serves both directions.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { type BrokerKind, scratch, startBroker } from '../support/mosquitto.ts';
import type { Program, Result } from '../support/process.ts';
import { newId, runTool, subscribe, type Vendor } from './tools.ts';

/** Tools and a running broker that lets everybody in. */
interface Stage {
  readonly vendor: Vendor;
  readonly broker: Program;
  /** Connection options of the tools. */
  readonly at: readonly string[];
}

type Scenario = (stage: Stage, context: TestContext) => Promise<void>;

const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv5'];

/** Publishes and expects success. */
async function publish(stage: Stage, ...args: string[]): Promise<Result> {
  const result = await runTool(stage.vendor, 'pub', [...stage.at, ...args]);
  assert.equal(result.code, 0, result.stderr);
  return result;
}

const listen = (stage: Stage, args: string[], id = newId()): Promise<Program> =>
  subscribe(stage.vendor, stage.broker, [...stage.at, '-W', '15', ...args], id);

/** Expects a subscriber to end by itself with exactly this output. */
async function printed(subscriber: Program, stdout: string): Promise<void> {
  const result = await subscriber.ended;
  assert.equal(result.stdout, stdout, result.stderr);
  assert.equal(result.code, 0, result.stderr);
}

/** A message in each version at each QoS. */
async function everyQos(stage: Stage, context: TestContext): Promise<void> {
  for (const version of VERSIONS) {
    for (const qos of ['0', '1', '2']) {
      await context.test(`${version}, QoS ${qos}`, async () => {
        const topic = `every/${version}/${qos}`;
        const format = ['-F', '%t %q %r %p'];
        const subscriber = await listen(stage, ['-V', version, '-q', qos, '-t', topic, '-C', '1', ...format]);
        await publish(stage, '-V', version, '-q', qos, '-t', topic, '-m', 'grüße');
        await printed(subscriber, `${topic} ${qos} 0 grüße\n`);
      });
    }
  }
}

async function lowerQos(stage: Stage): Promise<void> {
  const subscriber = await listen(stage, ['-q', '1', '-t', 'lower/#', '-C', '2', '-F', '%t %q']);
  await publish(stage, '-q', '2', '-t', 'lower/two', '-m', 'x');
  await publish(stage, '-q', '0', '-t', 'lower/none', '-m', 'x');
  await printed(subscriber, 'lower/two 1\nlower/none 0\n');
}

async function retained(stage: Stage): Promise<void> {
  await publish(stage, '-r', '-q', '1', '-t', 'kept/a', '-m', 'first');
  await publish(stage, '-r', '-q', '1', '-t', 'kept/a', '-m', 'second');
  await publish(stage, '-r', '-q', '1', '-t', 'kept/b', '-m', 'gone');
  await publish(stage, '-r', '-q', '1', '-t', 'kept/b', '-n');
  const subscriber = await listen(stage, ['-t', 'kept/#', '-C', '2', '-F', '%t %r %p']);
  await publish(stage, '-t', 'kept/c', '-m', 'live');
  await printed(subscriber, 'kept/a 1 second\nkept/c 0 live\n');
}

async function wildcards(stage: Stage): Promise<void> {
  const filters = ['one/+/c', 'wild/#', '+/other'].flatMap((filter) => ['-t', filter]);
  const subscriber = await listen(stage, ['-v', ...filters, '-C', '4']);
  for (const topic of ['one/b/c', 'one/b/x/c', 'wild', 'wild/a/b', 'some/other', '$hidden/other']) {
    await publish(stage, '-q', '1', '-t', topic, '-m', '1');
  }
  await printed(subscriber, 'one/b/c 1\nwild 1\nwild/a/b 1\nsome/other 1\n');
}

/** The will of a client that dies, and none of one that says goodbye. */
async function will(stage: Stage): Promise<void> {
  const watcher = await listen(stage, ['-v', '-t', 'wills/+', '-C', '1']);
  const polite = await listen(stage, ['-t', 'x', '-C', '1', '--will-topic', 'wills/polite', '--will-payload', 'no']);
  await publish(stage, '-t', 'x', '-m', 'go');
  await printed(polite, 'go\n');
  const dying = await listen(stage, [
    '-t',
    'x',
    '--will-topic',
    'wills/dying',
    '--will-payload',
    'gone',
    '--will-qos',
    '1',
  ]);
  dying.signal('SIGKILL');
  await printed(watcher, 'wills/dying gone\n');
}

/** Messages wait for a client with a persistent session while it is away. */
async function persistentSession(stage: Stage, context: TestContext): Promise<void> {
  for (const version of ['mqttv311', 'mqttv5']) {
    await context.test(version, async () => {
      const id = newId();
      const lasting = ['-V', version, '-c', '-q', '1', '-t', `waiting/${version}`];
      if (version === 'mqttv5') lasting.push('-x', '3600');
      const first = await listen(stage, [...lasting, '-E'], id);
      assert.equal((await first.ended).code, 0);
      for (const number of ['1', '2', '3']) await publish(stage, '-q', '1', '-t', `waiting/${version}`, '-m', number);
      // What waited comes right behind the CONNACK, so the subscriber may end before its SUBACK.
      const second = await runTool(stage.vendor, 'sub', [...stage.at, '-W', '15', '-i', id, ...lasting, '-C', '3']);
      assert.equal(second.stdout, '1\n2\n3\n', second.stderr);
    });
  }
}

async function takeOver(stage: Stage): Promise<void> {
  const id = newId();
  const first = await listen(stage, ['-V', 'mqttv5', '-t', 'take/over'], id);
  const second = await listen(stage, ['-V', 'mqttv5', '-t', 'take/over', '-C', '1'], id);
  first.signal('SIGKILL');
  await publish(stage, '-t', 'take/over', '-m', 'once');
  await printed(second, 'once\n');
}

/** Properties of MQTT 5 reach the subscriber as they were sent. */
async function properties(stage: Stage): Promise<void> {
  const subscriber = await listen(stage, ['-V', '5', '-t', 'props', '-C', '1', '-F', '%C|%R|%D|%P|%F|%p']);
  const sent = [
    ['content-type', 'text/plain'],
    ['response-topic', 'answers/here'],
    ['correlation-data', 'c-17'],
    ['payload-format-indicator', '1'],
  ].flatMap(([name = '', value = '']) => ['-D', 'publish', name, value]);
  const pairs = ['-D', 'publish', 'user-property', 'colour', 'red'];
  await publish(stage, '-V', '5', '-t', 'props', '-m', 'body', ...sent, ...pairs);
  await printed(subscriber, 'text/plain|answers/here|c-17|colour:red|1|body\n');
}

async function largePayload(stage: Stage, context: TestContext): Promise<void> {
  const text = 'abcdefghij'.repeat(30_000);
  const file = path.join(scratch(context), 'payload');
  writeFileSync(file, text);
  const subscriber = await listen(stage, ['-q', '1', '-t', 'large', '-C', '1', '-F', '%l %p']);
  await publish(stage, '-q', '1', '-t', 'large', '-f', file);
  await printed(subscriber, `${text.length} ${text}\n`);
}

async function linesInOrder(stage: Stage): Promise<void> {
  const lines = Array.from({ length: 200 }, (_none, i) => `line ${i}\n`).join('');
  const subscriber = await listen(stage, ['-q', '2', '-t', 'lines', '-C', '200']);
  const args = [...stage.at, '-q', '2', '-t', 'lines', '-l'];
  const result = await runTool(stage.vendor, 'pub', args, { input: lines });
  assert.equal(result.code, 0, result.stderr);
  await printed(subscriber, lines);
}

async function requestResponse(stage: Stage): Promise<void> {
  const responder = await listen(stage, ['-V', '5', '-t', 'ask', '-C', '1', '-F', '%R %p']);
  const id = newId();
  const before = stage.broker.stderr.length;
  const args = [...stage.at, '-i', id, '-t', 'ask', '-e', `answer/${id}`, '-m', 'what?', '-W', '15'];
  const asking = runTool(stage.vendor, 'rr', args);
  await printed(responder, `answer/${id} what?\n`);
  await stage.broker.seen((text) => text.indexOf(`Sending SUBACK to ${id}\n`, before) >= 0, 'stderr');
  await publish(stage, '-V', '5', '-t', `answer/${id}`, '-m', 'this');
  const result = await asking;
  assert.equal(result.stdout, 'this\n', result.stderr);
  assert.equal(result.code, 0, result.stderr);
}

/** Each message of a shared subscription goes to one member. */
async function sharedSubscription(stage: Stage): Promise<void> {
  const args = ['-V', '5', '-q', '1', '-t', '$share/workers/jobs', '-C', '2'];
  const one = await listen(stage, args);
  const two = await listen(stage, args);
  for (const job of ['a', 'b', 'c', 'd']) await publish(stage, '-V', '5', '-q', '1', '-t', 'jobs', '-m', job);
  const outputs = [(await one.ended).stdout, (await two.ended).stdout];
  assert.deepEqual(outputs.join('').split('\n').sort(), ['', 'a', 'b', 'c', 'd']);
}

const SCENARIOS: readonly (readonly [string, Scenario])[] = [
  ['every version at every QoS', everyQos],
  ['a lower QoS of the two counts', lowerQos],
  ['retained messages are kept, replaced and cleared', retained],
  ['wildcards match levels and not $ topics', wildcards],
  ['the will of a client that dies', will],
  ['messages wait for a persistent session', persistentSession],
  ['the same client id takes over', takeOver],
  ['properties of MQTT 5 arrive as sent', properties],
  ['a payload of 300,000 bytes', largePayload],
  ['200 lines at QoS 2 arrive in order', linesInOrder],
  ['a request and its response', requestResponse],
  ['a shared subscription divides the messages', sharedSubscription],
];

/** Declares a test of all scenarios, skipped with this reason if there is one. */
export function playScenarios(vendor: Vendor, kind: BrokerKind, skip: string | false): void {
  test(`tools of ${vendor} with ${kind}`, { skip }, async (context) => {
    const port = await freePort();
    const broker = await startBroker(context, kind, [`listener ${port} 127.0.0.1`, 'allow_anonymous true']);
    const stage: Stage = { vendor, broker, at: ['-h', '127.0.0.1', '-p', String(port)] };
    for (const [name, scenario] of SCENARIOS) await context.test(name, (inner) => scenario(stage, inner));
  });
}
