// What tshark reads in a capture file: every MQTT packet as a line in the words of the wire scenarios, made of the bytes
// that tshark took for each field, and everything that tshark complains about.
import { createHash } from 'node:crypto';
import { finish, without } from '../support/process.ts';
import { PROPERTIES, TYPES } from '../support/wire-bytes.ts';
import { show } from '../support/wire-text.ts';
import { type RecordedConnection, Recording, type Side } from './pcap.ts';

/** The reason to skip tests that need tshark; false where it is installed. */
export const noTshark: string | false = without('tshark');

/** A packet as tshark read it. */
export interface JudgedPacket {
  /** The connection, by the port of its client. */
  readonly clientPort: number;
  readonly from: Side;
  /** In the order of the bytes, for example 'PUBLISH q1 topic=t id=1 content-type=text/plain payload=x'. */
  readonly line: string;
}

/** What tshark says of a capture. */
export interface Judgement {
  readonly packets: readonly JudgedPacket[];
  /** Malformed packets, and remarks of the expert system from warnings upwards, each with the side that it is about. */
  readonly complaints: readonly Complaint[];
}

/** A complaint, and whose bytes it is about. */
export interface Complaint {
  readonly from: Side;
  readonly clientPort: number;
  readonly text: string;
}

/** How a capture is to be read. */
export interface ReadOptions {
  /** The server's port. */
  readonly port: number;
  /** What is spoken on it: `mqtt` by default, or what MQTT is wrapped in. */
  readonly layer?: 'mqtt' | 'ws' | 'tls';
  /** The file of TLS keys. */
  readonly keys?: string;
}

/** The severity from which on a remark is a complaint: a warning. */
const WARNING = 0x600000;

/** Has tshark read a capture file; throws what it prints when it can't. */
export async function judge(file: string, options: ReadOptions): Promise<Judgement> {
  if (options.layer === 'ws') return judgeWebSockets(file, options.port);
  const packets: JudgedPacket[] = [];
  const complaints: Complaint[] = [];
  for (const { from, clientPort, text } of await framesOf(file, options, 'mqtt')) {
    for (const part of text.split('<proto name="mqtt"').slice(1)) {
      packets.push({ clientPort, from, line: lineOf(part.slice(0, part.indexOf('</proto>'))) });
    }
    complaints.push(...complaintsOf(text).map((complaint) => ({ from, clientPort, text: complaint })));
  }
  return { packets, complaints };
}

/** tshark 4.0 does not know MQTT within WebSockets: it takes off the WebSockets first, then reads what was in them. */
async function judgeWebSockets(file: string, port: number): Promise<Judgement> {
  const inner = new Recording();
  const connections = new Map<number, RecordedConnection>();
  const complaints: Complaint[] = [];
  for (const { from, clientPort, text } of await framesOf(file, { port, layer: 'ws' }, 'websocket')) {
    const connection = connections.get(clientPort) ?? inner.connect();
    connections.set(clientPort, connection);
    for (const [, hex = ''] of text.matchAll(/<field name="data" value="([0-9a-f]*)"/g)) {
      connection.add(from, Buffer.from(hex, 'hex'));
    }
    complaints.push(...complaintsOf(text).map((complaint) => ({ from, clientPort, text: complaint })));
  }
  inner.save(`${file}.inner`);
  const within = await judge(`${file}.inner`, { port: inner.serverPort });
  return { packets: within.packets, complaints: [...complaints, ...within.complaints] };
}

interface Frame {
  readonly from: Side;
  readonly clientPort: number;
  /** As tshark describes it, in XML. */
  readonly text: string;
}

/** How tshark is told what is spoken on a port. */
const DECODE: Readonly<Record<NonNullable<ReadOptions['layer']>, string>> = { mqtt: 'mqtt', ws: 'http', tls: 'tls' };

/** The frames of a capture that hold a protocol, or that tshark complains about. */
async function framesOf(file: string, { port, layer = 'mqtt', keys }: ReadOptions, protocol: string): Promise<Frame[]> {
  const args = ['-n', '-r', file, '-T', 'pdml', '-d', `tcp.port==${port},${DECODE[layer]}`];
  // Most of the output would be about the layers below.
  if (layer !== 'ws') args.push('-J', 'mqtt _ws.malformed geninfo');
  if (layer === 'tls') args.push('-d', `tls.port==${port},mqtt`);
  if (keys !== undefined) args.push('-o', `tls.keylog_file:${keys}`);
  const filter = `${protocol} || _ws.malformed || _ws.expert.severity >= ${WARNING}`;
  const result = await finish('tshark', [...args, '-Y', filter], { timeout: 60_000 });
  if (result.code !== 0) throw new Error(`tshark ended with ${result.code}: ${result.stderr}`);
  return result.stdout
    .split('<packet>')
    .slice(1)
    .map((text) => {
      const [, source, target] = /Src Port: (\d+), Dst Port: (\d+)/.exec(text) ?? [];
      return Number(source) === port
        ? { from: 'server', clientPort: Number(target), text }
        : { from: 'client', clientPort: Number(source), text };
    });
}

const attribute = (text: string, name: string): string =>
  new RegExp(`<field name="${name}"[^>]* show="([^"]*)"`).exec(text)?.[1] ?? '';

/** One packet's fields as words. */
function lineOf(body: string): string {
  const words: string[] = [];
  let property = '';
  let prefix = '';
  let key = Buffer.alloc(0);
  for (const [, name = '', attributes = ''] of body.matchAll(/<field name="mqtt\.([\w.]+)"([^>]*)>/g)) {
    const bytes = Buffer.from(/ value="([0-9a-f]*)"/.exec(attributes)?.[1] ?? '', 'hex');
    const shown = / show="([^"]*)"/.exec(attributes)?.[1] ?? '';
    if (name === 'will_properties') prefix = 'will.';
    if (name === 'clientid' || name === 'willtopic') prefix = '';
    if (name === 'property_id') property = prefix + (PROPERTIES.get(Number(shown))?.[0] ?? shown);
    else if (name === 'qos' && words[0] !== 'PUBLISH') continue;
    else if (name === 'prop_key') key = bytes;
    else if (name === 'prop_value') words.push(`${property}=${show(Buffer.concat([key, Buffer.from(':'), bytes]))}`);
    else words.push(...wordOf(name, shown, bytes, property));
  }
  return words.join(' ');
}

/** The words for one field; fields that only repeat or name others give none. */
function wordOf(name: string, shown: string, bytes: Buffer, property: string): string[] {
  switch (name) {
    case 'msgtype':
      return [TYPES[Number(shown)] ?? '?'];
    case 'dupflag':
      return shown === '1' ? ['dup'] : [];
    case 'qos':
      return [`q${shown}`];
    case 'retain':
      return shown === '1' ? ['retain'] : [];
    case 'topic':
      // Where only an alias is given, tshark shows the topic that it stands for; there are no bytes.
      return bytes.length > 0 ? [`topic=${show(bytes)}`] : [];
    case 'clientid':
    case 'username':
      return [`${name}=${show(bytes)}`];
    case 'passwd':
      return [`password=${show(bytes)}`];
    case 'willtopic':
      return [`will=${show(bytes)}`];
    case 'willmsg':
      return [`will-payload=${show(bytes)}`];
    case 'msg':
      return [`payload=${payloadText(bytes)}`];
    case 'msgid':
      return [`id=${shown}`];
    case 'protoname':
      return [show(bytes)];
    case 'ver':
      return [`level=${shown}`];
    case 'conflags':
      return [`flags=${shown}`];
    case 'kalive':
      return [`keepalive=${shown}`];
    case 'conack.flags.sp':
      return shown === '1' ? ['present'] : [];
    case 'subscription_options':
      return [`options=${shown}`];
    case 'sub.qos':
      return [`options=0x0${shown}`];
    case 'prop_string':
      return [`${property}=${show(bytes)}`];
    case 'property.content_type':
      // The one string whose field begins with its length.
      return [`${property}=${show(bytes.subarray(2))}`];
    case 'prop_number':
    case 'property.max_qos':
    case 'property.topic_alias':
      return [`${property}=${shown}`];
    default:
      return /^(conack\.val|suback\.qos|\w+\.reason_code)$/.test(name) ? [`rc=${shown}`] : [];
  }
}

/** A payload as lines show it: whole, or by its length and a part of its SHA-256. */
export function payloadText(bytes: Buffer): string {
  if (bytes.length <= 200) return show(bytes);
  return `(${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex').slice(0, 8)})`;
}

/**
 * The complaints about one frame. tshark deviates in one place: it reads binary properties (correlation data,
 * authentication data) as text and warns of a zero byte in them, which the standard allows (MQTT 5.0 section 1.5.6).
 */
function complaintsOf(frame: string): string[] {
  const found: string[] = [];
  const number = attribute(frame, 'num');
  if (frame.includes('<proto name="_ws.malformed"')) found.push(`frame ${number}: malformed`);
  for (const match of frame.matchAll(/<field name="_ws\.expert".*?<\/field>/gs)) {
    if (Number(attribute(match[0], '_ws.expert.severity')) < WARNING) continue;
    const message = attribute(match[0], '_ws.expert.message');
    const property = frame.slice(0, match.index).split('name="mqtt.property_id"').at(-1) ?? '';
    const isBinary = / showname="ID: (Correlation|Authentication) Data /.test(property.slice(0, 80));
    if (!(isBinary && message === 'Trailing stray characters')) found.push(`frame ${number}: ${message}`);
  }
  return found;
}
