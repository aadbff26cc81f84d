// Plays a scenario against a broker. Beside `>` (send) and `<` (expect these bytes) a client knows some words that stand
// for several lines; all of them are strict about what comes:
//
//   A > PACKET | hex 30 03 … | half PACKET | rest      A < PACKET | hex … | closed | nothing
//   A joins [CONNECT words] [present=1] [persistent]   CONNECT and its CONNACK; the id is the client's letter in lower case
//   A subscribes FILTER:QOS …                          SUBSCRIBE, granted as asked
//   A publishes q1 t "p" [rc=0x10]                     PUBLISH and the whole handshake behind it
//   A gets q1 id=1 t "p"                               a PUBLISH, acknowledged to the end
//   A opens | leaves | drops | pauses | resumes        a bare connection; DISCONNECT; a broken line; not reading, reading on
//   A < silence                                        nothing has come, though what was sent may still be answered
//   clock advances SECONDS                             broker stops
//   broker restarts | crashes [away=SECONDS] [config="LINE" …] [acl="LINE" …]     stopped in order or killed, its clients
//       gone, and started again on its store with other lines
//   disk holds | writes | steps | goes-on              nothing is written to the store; one group is, and the broker has not
//       heard of it; one group is, and it has; everything is again
//   disk fails | retries | works                       writes fail; the broker tries again; they succeed
//
// An expected value may be left open: `key=*`. A packet that refuses may say why, unless `unexplained` stands behind it; one
// that does not refuse, or that is expected with a reason string, must be as it is written.
//
// `nothing` is proved: every other client's PINGREQ is answered first, so that what these sent has been dealt with, then
// this client's next packet must be the answer to its own. A client that `silence` was expected of may wait for the disk, and
// is not asked until it gets something. At the end of a case nothing may be left over anywhere.

import type { ScriptedPeer } from '../support/scripted-peer.ts';
import { type Arena, changeOf } from '../support/wire-arena.ts';
import { type Client, forget, newClient } from '../support/wire-client.ts';
import { settle } from '../support/wire-clock.ts';
import { describePacket } from '../support/wire-decode.ts';
import { moveDisk } from '../support/wire-disk.ts';
import { encodePacket, type Version } from '../support/wire-encode.ts';
import { bytesOf, different, explained, filledIn, qosOf } from '../support/wire-expect.ts';
import { limitsOf, withLimits } from '../support/wire-limits.ts';
import type { Case, Step } from '../support/wire-parse.ts';
import { numberOf, type PacketText, packetOf, textOf, type Word, wordsOf } from '../support/wire-text.ts';

const PINGREQ = Buffer.from([0xc0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);

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
  private limits: readonly Word[];
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
    if (step.actor === 'broker') return this.brokerDoes(step.verb, step.words);
    if (step.actor === 'disk') return this.diskDoes(step.verb);
    if (!/^[A-Z]$/.test(step.actor)) throw new Error(`'${step.actor}' is no client: a capital letter`);
    return this.clientDoes(this.client(step.actor), step.verb, step.words);
  }

  /** Time goes on when all that was sent has been dealt with. */
  private async advance(seconds: number): Promise<void> {
    await this.settleOthers(null);
    await this.arena.clock.advance(seconds * 1000);
    await this.arena.settle();
  }

  private async brokerDoes(verb: string, words: readonly Word[]): Promise<void> {
    switch (verb) {
      case 'stops':
        // It says goodbye to clients that must be able to take it meanwhile.
        void this.arena.stop();
        return settle();
      case 'restarts':
      case 'crashes':
        return this.restart(verb === 'crashes', words);
      default:
        throw new Error(`'${verb}' is nothing that a broker does`);
    }
  }

  /** What clients sent has been dealt with, as far as the disk lets it; what the broker had to say was expected. */
  private async restart(isCrash: boolean, words: readonly Word[]): Promise<void> {
    await this.settleOthers(null);
    for (const client of this.clients.values()) this.checkNothingIsLeft(client);
    const change = changeOf(words, isCrash);
    await this.arena.restart(change);
    this.limits = limitsOf([...change.config, ...this.scenario.config]);
    for (const client of this.clients.values()) {
      client.peer?.drop();
      forget(client);
    }
  }

  /** The disk changes when all that was sent has been dealt with. */
  private async diskDoes(verb: string): Promise<void> {
    await this.settleOthers(null);
    moveDisk(this.arena.disk, verb);
    await this.arena.settle();
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
      client = newClient(letter, this.version);
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
    if (what === 'silence') return this.expectSilence(client);
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
    forget(client);
  }

  private async expectNothing(client: Client): Promise<void> {
    await this.settleOthers(client);
    this.peerOf(client).send(PINGREQ);
    const arrival = await this.next(client, 'nothing, shown by a PINGRESP');
    if (arrival?.equals(PINGRESP) !== true) throw different('nothing (and a PINGRESP)', this.shown(client, arrival));
  }

  private async expectSilence(client: Client): Promise<void> {
    client.waits = true;
    await this.settleOthers(client);
    const [first] = this.peerOf(client).leftOver();
    if (first !== undefined) throw different('silence', this.shown(client, first));
  }

  /** Has the broker answer every other client, and so deal with all that these sent before. */
  private async settleOthers(client: Client | null): Promise<void> {
    for (const other of this.clients.values()) {
      if (other === client || !other.unproven || !this.mayPing(other)) continue;
      other.unproven = false;
      other.peer?.send(PINGREQ);
      await other.peer?.await(PINGRESP);
    }
    await this.arena.settle();
  }

  private mayPing(client: Client): boolean {
    const { peer, joined, rest, paused, waits } = client;
    return peer !== null && joined && rest === null && !paused && !waits && !peer.isOver;
  }

  private async next(client: Client, expected: string): Promise<Buffer | null> {
    if (client.peer === null) throw new Error(`expected  ${expected}\n  got       no connection: the client has none`);
    try {
      const arrival = await client.peer.next();
      client.waits = false;
      return arrival;
    } catch (error) {
      throw new Error(`expected  ${expected}\n  got       ${(error as Error).message}`);
    }
  }

  private shown(client: Client, arrival: Buffer | null): string {
    return arrival === null ? 'the end of the connection' : describePacket(arrival, client.version);
  }

  private async drop(client: Client): Promise<void> {
    await this.settleOthers(null);
    this.checkNothingIsLeft(client);
    const noticed = client.joined ? this.arena.gone(client.clientId) : settle();
    this.peerOf(client).drop();
    forget(client);
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
