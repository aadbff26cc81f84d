// An independent reader looks at the bytes: tshark records a conversation of the project's client and broker and must find
// nothing malformed in it.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { scratch, startBroker } from '../support/mosquitto.ts';
import { finish, Program, type Result, whereIs } from '../support/process.ts';
import { newId, runTool, subscribe } from './tools.ts';

/** Names of the packet types that a conversation with QoS 0, 1 and 2, and their ends must contain. */
const EXPECTED = [
  'Connect Command',
  'Connect Ack',
  'Subscribe Request',
  'Subscribe Ack',
  'Publish Message',
  'Publish Ack',
  'Publish Received',
  'Publish Release',
  'Publish Complete',
  'Disconnect Req',
];

/** Why nothing can be recorded here; false where it can. */
async function whyNot(): Promise<string | false> {
  if (whereIs('tshark') === null) return 'tshark is not installed';
  const interfaces = await finish('tshark', ['-D']);
  if (!/\blo\b/.test(interfaces.stdout)) return 'tshark may not listen on the loopback interface';
  return false;
}

/** Sends a datagram to a port where nobody listens; only a recording notices. */
async function sendMark(port: number): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.send('mark', port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
  });
  socket.close();
}

/**
 * Records what goes to and from a port until the conversation is over; the file's path. The system hands packets to
 * tshark late but in order, so a datagram marks the end: once tshark has shown it, everything before is recorded.
 */
async function record(context: TestContext, port: number, talk: () => Promise<void>): Promise<string> {
  const file = path.join(scratch(context), 'talk.pcap');
  const args = ['-i', 'lo', '-f', `tcp port ${port} or udp port ${port}`, '-w', file, '-P', '-l'];
  const tshark = new Program('tshark', args, { timeout: 30_000 });
  await tshark.seen(/Capture started/, 'stderr');
  await talk();
  await sendMark(port);
  await tshark.seen(' UDP ', 'stdout');
  tshark.signal('SIGINT');
  await tshark.ended;
  return file;
}

/** What tshark reads from a recording, with this filter and these fields. */
function read(file: string, port: number, ...args: string[]): Promise<Result> {
  return finish('tshark', ['-r', file, '-d', `tcp.port==${port},mqtt`, ...args]);
}

async function converse(port: number, version: string, context: TestContext): Promise<void> {
  const broker = await startBroker(context, 'mqtt-broker', [`listener ${port} 127.0.0.1`, 'allow_anonymous true']);
  const at = ['-h', '127.0.0.1', '-p', String(port), '-V', version];
  const will = ['--will-topic', 'talk/will', '--will-payload', 'w', '--will-qos', '1', '--will-retain'];
  const subscriber = await subscribe('mqtt-suite', broker, [...at, ...will, '-q', '2', '-t', 'talk/#', '-C', '4']);
  const extra =
    version === 'mqttv5'
      ? ['-D', 'publish', 'user-property', 'k', 'v', '-D', 'connect', 'user-property', 'a', 'b']
      : [];
  for (const qos of ['0', '1', '2']) {
    const result = await runTool('mqtt-suite', 'pub', [
      ...at,
      ...extra,
      '-i',
      newId(),
      '-q',
      qos,
      '-t',
      `talk/${qos}`,
      '-m',
      'x',
    ]);
    assert.equal(result.code, 0, result.stderr);
  }
  const last = await runTool('mqtt-suite', 'pub', [...at, '-r', '-q', '1', '-t', 'talk/big', '-m', 'y'.repeat(20_000)]);
  assert.equal(last.code, 0, last.stderr);
  assert.equal((await subscriber.ended).code, 0);
  await broker.stop();
}

const skip = await whyNot();

for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
  test(`tshark finds nothing malformed in ${version}`, { skip }, async (context) => {
    const port = await freePort();
    const file = await record(context, port, () => converse(port, version, context));
    const packets = await read(file, port, '-Y', 'mqtt', '-T', 'fields', '-e', '_ws.col.Info');
    for (const name of EXPECTED) assert.ok(packets.stdout.includes(name), `${name} is missing in:\n${packets.stdout}`);
    // Warnings and errors of the expert system, TCP's own remarks aside.
    const filter = '_ws.malformed || (mqtt && _ws.expert.severity >= 0x600000)';
    const complaints = await read(
      file,
      port,
      '-Y',
      filter,
      '-T',
      'fields',
      '-e',
      'frame.number',
      '-e',
      '_ws.expert.message',
    );
    assert.equal(complaints.code, 0, complaints.stderr);
    assert.equal(complaints.stdout, '');
  });
}
