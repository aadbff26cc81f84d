// An independent reader looks at the bytes of a whole conversation of the project's client and broker, over each kind of
// connection: tshark must find nothing malformed in it, and must read what transcript.txt says was sent.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Endpoint } from '../../src/client/options.ts';
import { makeCertificate } from '../support/certificates.ts';
import { scratch } from '../support/mosquitto.ts';
import { repository } from '../support/process.ts';
import { CONVERSATION_CONFIG, converse, STRICT, type VersionName } from './conversation.ts';
import { startOwnBroker } from './own-broker.ts';
import { Recording } from './pcap.ts';
import { startProxy } from './proxy.ts';
import { type JudgedPacket, judge, noTshark } from './tshark.ts';

type Kind = 'tcp' | 'ws' | 'tls';

/** Records a conversation and has it read; fails on any complaint. */
async function record(context: TestContext, kind: Kind, version: VersionName): Promise<readonly JudgedPacket[]> {
  const folder = scratch(context);
  const { cert, key } = makeCertificate({ subject: 'localhost', altNames: ['localhost', '127.0.0.1'] });
  const at = (name: string): string => path.join(folder, name);
  writeFileSync(at('cert'), cert);
  writeFileSync(at('key'), key);
  writeFileSync(at('keylog'), '');
  const listener = ['listener 1883 127.0.0.1'];
  if (kind === 'ws') listener.push('protocol websockets');
  if (kind === 'tls') listener.push(`certfile ${at('cert')}`, `keyfile ${at('key')}`);
  const keylog = (line: Buffer): void => appendFileSync(at('keylog'), line);
  const broker = await startOwnBroker(context, [...listener, ...CONVERSATION_CONFIG], { plugins: [STRICT], keylog });
  const recording = new Recording();
  const { port } = await startProxy(context, broker.ports[0] ?? 0, recording);
  const endpoint: Endpoint = { kind, host: '127.0.0.1', port, tls: { ca: cert } };
  await converse(endpoint, version);
  await broker.stop();
  recording.save(at('talk.pcap'));

  const layer = kind === 'tcp' ? 'mqtt' : kind;
  const { packets, complaints } = await judge(at('talk.pcap'), {
    port: recording.serverPort,
    layer,
    keys: at('keylog'),
  });
  assert.deepEqual(complaints, []);
  return packets;
}

/** The lines of each side of each connection, in order, as the transcript writes them. */
function linesOf(packets: readonly JudgedPacket[]): string[] {
  const order = (packet: JudgedPacket): number => packet.clientPort * 2 + (packet.from === 'client' ? 0 : 1);
  const first = Math.min(...packets.map(({ clientPort }) => clientPort));
  return [...packets]
    .sort((a, b) => order(a) - order(b))
    .map(({ clientPort, from, line }) => {
      const name = String.fromCharCode(65 + clientPort - first);
      return `${name} ${from === 'client' ? `> ${line}` : `< ${settled(line)}`}`;
    });
}

/** A line of the broker without what is its own choice, its words and names, and without a second more or less. */
function settled(line: string): string {
  return line
    .replace(/(assigned-client-identifier)=auto-[0-9A-F-]+/, '$1=*')
    .replace(/(reason-string)=("[^"]*"|\S+)/, '$1=*')
    .replace(/(message-expiry-interval)=29\d/, '$1=300');
}

/** What the transcript says of a version. */
function transcript(version: VersionName): string[] {
  const rows = readFileSync(path.join(repository, 'test', 'interop', 'transcript.txt'), 'utf8').split('\n');
  const message = rows.find((row) => row.startsWith('message: '))?.slice(9) ?? '';
  return rows.flatMap((row) => {
    const [, versions, line] = /^(?:\[([\d. ]+)\] )?([A-Z] [<>] .+)$/.exec(row) ?? [];
    if (line === undefined || (versions !== undefined && !versions.split(' ').includes(version))) return [];
    return [line.replace('(message)', message)];
  });
}

for (const version of ['3.1', '3.1.1', '5'] as const) {
  test(`tshark reads a conversation of version ${version}`, { skip: noTshark }, async (context) => {
    const kinds = ['tcp', 'ws', 'tls'] as const;
    const recorded = await Promise.all(kinds.map((kind) => record(context, kind, version)));
    recorded.forEach((packets, i) => {
      assert.deepEqual(linesOf(packets), transcript(version), kinds[i]);
    });
  });
}
