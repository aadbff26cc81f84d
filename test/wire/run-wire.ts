// Plays a scenario against a broker. Beside `>` (send) and `<` (expect these bytes) a client knows some words that stand
// for several lines; all of them are strict about what comes:
//
//   A > PACKET | hex 30 03 … | half PACKET | rest      A < PACKET | hex … | closed | nothing
//   A joins [CONNECT words] [present=1] [persistent]   CONNECT and its CONNACK; the id is the client's letter in lower case
//   A subscribes FILTER:QOS …                          SUBSCRIBE, granted as asked
//   A publishes q1 t "p" [rc=0x10]                     PUBLISH and the whole handshake behind it
//   A gets q1 id=1 t "p"                               a PUBLISH, acknowledged to the end
//   A opens | leaves | drops | pauses | resumes        a bare connection; DISCONNECT; a broken line; not reading, reading on
//   clock advances SECONDS                             broker stops
//
// An expected value may be left open: `key=*`. A packet that refuses may say why, unless `unexplained` stands behind it; one
// that does not refuse, or that is expected with a reason string, must be as it is written.
//
// `nothing` is proved: every other client's PINGREQ is answered first, so that what these sent has been dealt with, then
// this client's next packet must be the answer to its own. At the end of a case nothing may be left over anywhere.

import type { ScriptedPeer } from '../support/scripted-peer.ts';
import type { Arena } from '../support/wire-arena.ts';
import { settle } from '../support/wire-clock.ts';
import { decodePacket, describePacket } from '../support/wire-decode.ts';
import { encodePacket, type Version } from '../support/wire-encode.ts';
import { limitsOf, withLimits } from '../support/wire-limits.ts';
import type { Case, Step } from '../support/wire-parse.ts';
import { numberOf, type PacketText, packetOf, textOf, type Word, wordsOf } from '../support/wire-text.ts';

const PINGREQ = Buffer.from([0xc0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);

/** One client of a scenario. */
interface Client {
  readonly letter: string;
  peer: ScriptedPeer | null;
  version: Version;
  clientId: string;
  /** Whether it was let in, and may ping. */
  joined: boolean;
  /** The part of a packet that was held back. */
  rest: Buffer | null;
  paused: boolean;
  /** Whether it sent something that no answer has proved to be dealt with. */
  unproven: boolean;
  lastId: number;
}

/** Plays a case in one version and closes the arena; rejects with a text that names case, line, expected and got. */
export async function runCase(scenario: Case, version: Version, arena: Arena): Promise<void> {
  try {
    await new Play(arena, scenario, version).run();
  } finally {
    await arena.close();
  }
}

class Play {
  private readonly arena: Arena;
  private readonly scenario: Case;
  private readonly version: Version;
  /** What CONNACK says by this configuration. */
  private readonly limits: readonly Word[];
  private readonly clients = new Map<string, Client>();

  constructor(arena: Arena, scenario: Case, version: Version) {
    this.arena = arena;
    this.scenario = scenario;
    this.version = version;
    this.limits = limitsOf(scenario.config);
  }

  async run(): Promise<void> {
    for (const step of this.scenario.steps) {
      if (!step.versions.includes(this.version)) continue;
      await this.located(step.line, step.text, () => this.carryOut(step));
    }
    await this.located(this.scenario.line, 'the end of the case', () => this.checkEnd());
  }

  private async located(line: number, text: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const { file, name } = this.scenario;
      const where = `${file}:${line}: ${name} (version ${this.version}, ${this.arena.name})`;
      throw new Error(`${where}\n  step      ${text}\n  ${(error as Error).message}`);
    }
  }

  private carryOut(step: Step): Promise<void> {
    if (step.actor === 'clock' && step.verb === 'advances') {
      return this.advance(Number(textOf(step.words[0]!)));
    }
    if (step.actor === 'broker' && step.verb === 'stops') return this.stopBroker();
    if (!/^[A-Z]$/.test(step.actor)) throw new Error(`'${step.actor}' is no client: a capital letter`);
    return this.clientDoes(this.client(step.actor), step.verb, step.words);
  }

  /** Time goes on when all that was sent has been dealt with. */
  private async advance(seconds: number): Promise<void> {
    await this.settleOthers(null);
    await this.arena.clock.advance(seconds * 1000);
  }

  /** The broker says goodbye to clients that must be able to take it meanwhile. */
  private async stopBroker(): Promise<void> {
    void this.arena.broker.stop();
    await settle();
  }

  private async clientDoes(client: Client, verb: string, words: readonly Word[]): Promise<void> {
    switch (verb) {
      case '>':
        return this.send(client, words);
      case '<':
        return this.expect(client, words);
      case 'joins':
        return this.join(client, words);
      case 'subscribes':
        return this.subscribe(client, words);
      case 'publishes':
        return this.publish(client, words);
      case 'gets':
        return this.get(client, words);
      case 'opens':
        this.peerOf(client);
        return;
      case 'leaves':
        await this.send(client, wordsOf('DISCONNECT'));
        return this.expectEnd(client);
      case 'drops':
        return this.drop(client);
      case 'pauses':
        client.paused = true;
        return this.peerOf(client).pause();
      case 'resumes':
        client.paused = false;
        return this.peerOf(client).resume();
      default:
        throw new Error(`'${verb}' is nothing that a client does`);
    }
  }

  private client(letter: string): Client {
    let client = this.clients.get(letter);
    if (client === undefined) {
      client = {
        letter,
        peer: null,
        version: this.version,
        clientId: letter.toLowerCase(),
        joined: false,
        rest: null,
        paused: false,
        unproven: false,
        lastId: 99,
      };
      this.clients.set(letter, client);
    }
    return client;
  }

  /** The client's connection, opened if it has none. */
  private peerOf(client: Client): ScriptedPeer {
    client.peer ??= this.arena.connect();
    return client.peer;
  }

  private async send(client: Client, words: readonly Word[]): Promise<void> {
    const [first, ...others] = words;
    const peer = this.peerOf(client);
    client.unproven = true;
    const what = first === undefined ? '' : textOf(first);
    if (what === 'hex') {
      peer.send(bytesOf(others));
    } else if (what === 'half') {
      const bytes = this.encode(client, packetOf(others));
      const middle = Math.ceil(bytes.length / 2);
      client.rest = bytes.subarray(middle);
      peer.send(bytes.subarray(0, middle));
    } else if (what === 'rest') {
      if (client.rest === null) throw new Error('no packet was held back');
      peer.send(client.rest);
      client.rest = null;
    } else {
      peer.send(this.encode(client, packetOf(words)));
    }
  }

  private encode(client: Client, text: PacketText): Buffer {
    if (text.name !== 'CONNECT') return encodePacket(text, client.version);
    const version = text.words.find((word) => word.key === 'v');
    client.version = version === undefined ? this.version : (numberOf(version.value) as Version);
    client.clientId = text.words.find((word) => word.key === 'id')?.value.toString() ?? '';
    return encodePacket({ name: text.name, words: text.words.filter((word) => word !== version) }, client.version);
  }

  private expect(client: Client, words: readonly Word[]): Promise<void> {
    const [first] = words;
    const what = first === undefined ? '' : textOf(first);
    if (what === 'closed') return this.expectEnd(client);
    if (what === 'nothing') return this.expectNothing(client);
    if (what === 'hex') return this.expectBytes(client, bytesOf(words.slice(1)));
    return this.expectPacket(client, packetOf(words));
  }

  private async expectPacket(client: Client, { name, words }: PacketText): Promise<void> {
    const expected = explained({ name, words: withLimits(words, this.limits) });
    const arrival = await this.next(client, expected.name);
    const wanted = encodePacket(
      arrival === null ? expected : filledIn(expected, arrival, client.version),
      client.version,
    );
    if (arrival?.equals(wanted) !== true)
      throw different(describePacket(wanted, client.version), this.shown(client, arrival));
    if (expected.name === 'CONNACK' && arrival[3] === 0) client.joined = true;
  }

  private async expectBytes(client: Client, wanted: Buffer): Promise<void> {
    const arrival = await this.next(client, wanted.toString('hex'));
    if (arrival?.equals(wanted) !== true) throw different(wanted.toString('hex'), this.shown(client, arrival));
  }

  private async expectEnd(client: Client): Promise<void> {
    const arrival = await this.next(client, 'the end of the connection');
    if (arrival !== null) throw different('the end of the connection', this.shown(client, arrival));
    this.forget(client);
  }

  private async expectNothing(client: Client): Promise<void> {
    await this.settleOthers(client);
    this.peerOf(client).send(PINGREQ);
    const arrival = await this.next(client, 'nothing, shown by a PINGRESP');
    if (arrival?.equals(PINGRESP) !== true) throw different('nothing (and a PINGRESP)', this.shown(client, arrival));
  }

  /** Has the broker answer every other client, and so deal with all that these sent before. */
  private async settleOthers(client: Client | null): Promise<void> {
    for (const other of this.clients.values()) {
      if (other === client || !other.unproven || !this.mayPing(other)) continue;
      other.unproven = false;
      other.peer?.send(PINGREQ);
      await other.peer?.await(PINGRESP);
    }
    await settle();
  }

  private mayPing(client: Client): boolean {
    const { peer, joined, rest, paused } = client;
    return peer !== null && joined && rest === null && !paused && !peer.isOver;
  }

  private async next(client: Client, expected: string): Promise<Buffer | null> {
    if (client.peer === null) throw new Error(`expected  ${expected}\n  got       no connection: the client has none`);
    try {
      return await client.peer.next();
    } catch (error) {
      throw new Error(`expected  ${expected}\n  got       ${(error as Error).message}`);
    }
  }

  private shown(client: Client, arrival: Buffer | null): string {
    return arrival === null ? 'the end of the connection' : describePacket(arrival, client.version);
  }

  private forget(client: Client): void {
    client.peer = null;
    client.joined = false;
    client.rest = null;
  }

  private async drop(client: Client): Promise<void> {
    await this.settleOthers(null);
    this.checkNothingIsLeft(client);
    const noticed = client.joined ? this.arena.gone(client.clientId) : settle();
    this.peerOf(client).drop();
    this.forget(client);
    await noticed;
  }

  private async join(client: Client, words: readonly Word[]): Promise<void> {
    const mine = words.filter(
      (word) => word.key !== 'present' && !(word.key === null && textOf(word) === 'persistent'),
    );
    const persists = words.some((word) => word.key === null && textOf(word) === 'persistent');
    const extra: string[] = [];
    if (words.every((word) => word.key !== 'id')) extra.push(`id=${client.letter.toLowerCase()}`);
    if (persists) extra.push('clean=0 session-expiry-interval=0xffffffff');
    await this.send(client, [...wordsOf('CONNECT'), ...mine, ...wordsOf(extra.join(' '))]);
    const present = words.find((word) => word.key === 'present')?.value.toString() ?? '0';
    await this.expectPacket(client, packetOf(wordsOf(`CONNACK code=0 present=${present} limits`)));
  }

  private async subscribe(client: Client, words: readonly Word[]): Promise<void> {
    const id = this.newId(client);
    await this.send(client, [...wordsOf(`SUBSCRIBE ${id}`), ...words]);
    const granted = words
      .filter((word) => word.key === null)
      .map((word) => /:([012])/.exec(`:${textOf(word).split(':').at(-1)}`)?.[1]);
    await this.expectPacket(client, packetOf(wordsOf(`SUBACK ${id} ${granted.join(' ')}`)));
  }

  private async publish(client: Client, words: readonly Word[]): Promise<void> {
    const id = this.newId(client);
    const qos = qosOf(words);
    const code = words.find((word) => word.key === 'rc')?.value.toString() ?? '0';
    const mine = words.filter((word) => word.key !== 'rc');
    await this.send(client, [...wordsOf(qos === 0 ? 'PUBLISH' : `PUBLISH ${id}`), ...mine]);
    if (qos === 1) await this.expectPacket(client, packetOf(wordsOf(`PUBACK ${id} rc=${code}`)));
    if (qos < 2) return;
    await this.expectPacket(client, packetOf(wordsOf(`PUBREC ${id} rc=${code}`)));
    await this.send(client, wordsOf(`PUBREL ${id}`));
    await this.expectPacket(client, packetOf(wordsOf(`PUBCOMP ${id}`)));
  }

  private async get(client: Client, words: readonly Word[]): Promise<void> {
    await this.expectPacket(client, { name: 'PUBLISH', words });
    const id = `id=${words.find((word) => word.key === 'id')?.value.toString() ?? ''}`;
    const qos = qosOf(words);
    if (qos === 1) await this.send(client, wordsOf(`PUBACK ${id}`));
    if (qos < 2) return;
    await this.send(client, wordsOf(`PUBREC ${id}`));
    await this.expectPacket(client, packetOf(wordsOf(`PUBREL ${id}`)));
    await this.send(client, wordsOf(`PUBCOMP ${id}`));
  }

  private newId(client: Client): string {
    client.lastId += 1;
    return `id=${client.lastId}`;
  }

  private async checkEnd(): Promise<void> {
    await this.settleOthers(null);
    for (const client of this.clients.values()) this.checkNothingIsLeft(client);
  }

  private checkNothingIsLeft(client: Client): void {
    const [first] = client.peer?.leftOver() ?? [];
    if (first === undefined) return;
    throw new Error(`expected  nothing more for ${client.letter}\n  got       ${this.shown(client, first)}`);
  }
}

/** A packet that refuses, with its reason string left open; `unexplained` says that there is none. */
function explained({ name, words }: PacketText): PacketText {
  const isMark = (word: Word): boolean => word.key === null && !word.quoted && textOf(word) === 'unexplained';
  if (words.some(isMark)) return { name, words: words.filter((word) => !isMark(word)) };
  if (!refuses(name, words) || words.some(({ key }) => key === 'reason-string')) return { name, words };
  return { name, words: [...words, { key: 'reason-string', value: Buffer.from('?'), quoted: false }] };
}

/** Whether a packet has a reason code that refuses something. */
function refuses(name: string, words: readonly Word[]): boolean {
  return words.some(({ key, value, quoted }) => {
    const isCode = name === 'SUBACK' || name === 'UNSUBACK' ? key === null && !quoted : key === 'rc' || key === 'code';
    return isCode && numberOf(value) >= 0x80;
  });
}

/** Bytes in hexadecimal, quoted words as they are. */
function bytesOf(words: readonly Word[]): Buffer {
  return Buffer.concat(words.map(({ value, quoted }) => (quoted ? value : hexBytes(value.toString()))));
}

function hexBytes(text: string): Buffer {
  if (!/^([0-9a-fA-F]{2})+$/.test(text)) throw new Error(`'${text}' is not hexadecimal`);
  return Buffer.from(text, 'hex');
}

function qosOf(words: readonly Word[]): number {
  const flag = words.find((word) => word.key === null && !word.quoted && /^q[012]$/.test(textOf(word)));
  return flag === undefined ? 0 : Number(textOf(flag)[1]);
}

/** The expected packet with the values that the scenario leaves open, written `key=*`, taken from what came. */
function filledIn(expected: PacketText, arrival: Buffer, version: Version): PacketText {
  if (expected.words.every((word) => !isOpen(word) && !isOptional(word))) return expected;
  const { words: got } = decodePacket(arrival, version);
  const words = expected.words.flatMap((word) => {
    if (!isOpen(word) && !isOptional(word)) return [word];
    const match = got.find(({ key }) => key === word.key);
    return match ?? (isOptional(word) ? [] : [word]);
  });
  return { name: expected.name, words };
}

const isOptional = (word: Word): boolean => word.key === 'reason-string' && !word.quoted && textOf(word) === '?';
const isOpen = (word: Word): boolean => word.key !== null && !word.quoted && textOf(word) === '*';

function different(expected: string, got: string): Error {
  return new Error(`expected  ${expected}\n  got       ${got}`);
}
