// What the broker sent in all wire scenarios, read by tshark: nothing is malformed, and tshark finds in it what the scenarios'
// own decoder finds, packet by packet and field by field.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Recording } from '../interop/pcap.ts';
import { recorded } from '../interop/recorded-transport.ts';
import { judge, noTshark, payloadText } from '../interop/tshark.ts';
import { scratch } from '../support/mosquitto.ts';
import type { Tap } from '../support/wire-arena.ts';
import { packetEnd } from '../support/wire-bytes.ts';
import { decodePacket } from '../support/wire-decode.ts';
import type { Version } from '../support/wire-encode.ts';
import { show, type Word } from '../support/wire-text.ts';

/** What goes over the connections of scenarios, of each version by itself. */
export class Capture {
  private readonly recordings = new Map<Version, Recording>(([3, 4, 5] as const).map((v) => [v, new Recording()]));

  /** What writes down the broker's connections of a scenario that is played in this version. */
  tap(version: Version): Tap {
    const recording = this.recordings.get(version)!;
    return (transport) => recorded(transport, recording.connect(), 'server');
  }

  /** Makes the tests that have tshark read it; the scenarios are played by tests in front of them. */
  judgeAll(): void {
    describe('tshark reads what the broker sends', { concurrency: true, skip: noTshark }, () => {
      for (const [version, recording] of this.recordings) {
        test(`in version ${version}`, (context) => judgeRecording(recording, path.join(scratch(context), 'wire.pcap')));
      }
    });
  }
}

async function judgeRecording(recording: Recording, file: string): Promise<void> {
  recording.save(file);
  const { packets, complaints } = await judge(file, { port: recording.serverPort });
  const odd = recording.streams().filter(({ client }) => isContradictory(client));
  const excused = new Set(odd.map(({ clientPort }) => clientPort));
  const about = complaints.filter(({ from, clientPort }) => from === 'server' && !excused.has(clientPort));
  assert.deepEqual(about, []);
  // The scenarios' clients send what no client may: a judge that says nothing of them would see nothing.
  assert.ok(complaints.some(({ from }) => from === 'client'));
  const read = new Map<number, string[]>();
  for (const { clientPort, from, line } of packets) {
    if (from === 'server') read.set(clientPort, [...(read.get(clientPort) ?? []), line]);
  }
  assert.ok(read.size > 100);
  for (const { clientPort, client, server } of recording.streams()) {
    assert.deepEqual(read.get(clientPort) ?? [], linesOf(server, versionOf(client)));
  }
}

/** The version that a client's first bytes ask for; what asks for none that there is is answered as by MQTT 3.1.1. */
function versionOf(client: Buffer): Version {
  const found = /^10(?:..){1,4}?(?:00044d515454(04|05)|00064d5149736470(03))/.exec(client.toString('hex', 0, 14));
  return found === null ? 4 : (Number(found[1] ?? found[2]) as Version);
}

/** tshark goes by the level alone, and takes the answer to MQIsdp of level 5 for one of MQTT 5. */
const isContradictory = (client: Buffer): boolean => client.toString('latin1', 0, 14).includes('MQIsdp\x05');

/** The packets of a stream of whole ones, as tshark's lines. */
function linesOf(stream: Buffer, version: Version): string[] {
  const lines: string[] = [];
  for (let rest = stream; rest.length > 0; ) {
    const end = packetEnd(rest) ?? rest.length;
    lines.push(lineOf(rest.subarray(0, end), version));
    rest = rest.subarray(end);
  }
  return lines;
}

/** A packet in the order and with the names of tshark's lines. */
function lineOf(bytes: Buffer, version: Version): string {
  const { name, words } = decodePacket(bytes, version);
  const isFlag = ({ key, quoted }: Word) => key === null && !quoted;
  const isCode = (word: Word) => isFlag(word) || word.key === 'code' || word.key === 'rc';
  if (name !== 'PUBLISH') {
    const shown = words.map((word) => (isCode(word) ? `rc=${Number(word.value)}` : field(word)));
    return [name, ...shown].join(' ').replace(' present=0', '').replace('present=1', 'present');
  }
  const flags = words.filter(isFlag).map(({ value }) => value.toString());
  const inOrder = ['dup', 'q0', 'q1', 'q2', 'retain'].filter((flag) => flags.includes(flag));
  const [topic, payload] = words.filter(({ key, quoted }) => key === null && quoted);
  const keyed = words.filter(({ key }) => key !== null).map(field);
  const topicWord = topic === undefined || topic.value.length === 0 ? [] : [`topic=${show(topic.value)}`];
  return [name, ...inOrder, ...topicWord, ...keyed, `payload=${payloadText(payload?.value ?? Buffer.alloc(0))}`].join(
    ' ',
  );
}

const field = ({ key, value }: Word): string => `${key}=${show(value)}`;
