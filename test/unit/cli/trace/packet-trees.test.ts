import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PLAIN } from '../../../../src/cli/terminal.ts';
import { packetTrees } from '../../../../src/cli/trace/packet-trees.ts';
import { fixedHeader } from '../../../../src/client/incoming.ts';
import { encode } from '../../../../src/protocol/encode.ts';
import type { ControlPacket } from '../../../../src/protocol/packets.ts';
import type { Properties } from '../../../../src/protocol/properties.ts';
import { encodePublishProperties } from '../../../../src/protocol/publish.ts';
import { MQTT5, MQTT31, MQTT311, type Profile } from '../../../../src/protocol/version.ts';
import { controlPacket } from '../../../support/arbitrary-packets.ts';
import { connectPacket as connect } from '../../../support/connect-packet.ts';

const NOTHING = Buffer.alloc(0);

interface Message {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos?: number;
  readonly id?: number;
  readonly properties?: Properties;
}

/** The bytes of a PUBLISH. */
function publish(profile: Profile, { topic, payload, qos = 0, id = 0, properties = {} }: Message): Buffer {
  const encoded = encodePublishProperties(properties).bytes;
  const head = Buffer.alloc(2 + Buffer.byteLength(topic) + (qos > 0 ? 2 : 0));
  head.writeUInt16BE(Buffer.byteLength(topic));
  head.write(topic, 2);
  if (qos > 0) head.writeUInt16BE(id, head.length - 2);
  const section = profile.hasProperties ? [fixedHeader(0, encoded.length).subarray(1), encoded] : [];
  const body = Buffer.concat([head, ...section, Buffer.from(payload)]);
  return Buffer.concat([fixedHeader(0x30 | (qos << 1), body.length), body]);
}

/** Trees of the packets of one connection, without times; null for the CONNECT. */
function treesOf(profile: Profile): (isSent: boolean, bytes: Buffer) => string[] {
  const lines: string[] = [];
  const trace = packetTrees((line) => lines.push(line), PLAIN);
  trace(true, encode(profile, connect(profile)), NOTHING);
  return (isSent, bytes) => {
    lines.length = 0;
    if (isSent) {
      trace(true, bytes, NOTHING);
    } else {
      const size = bytes.findIndex((byte, at) => at > 0 && byte < 0x80) + 1;
      trace(false, fixedHeader(bytes[0] ?? 0, bytes.length - size), bytes.subarray(size));
    }
    assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d\.\d{6} /);
    return [lines[0]?.slice(16) ?? '', ...lines.slice(1)];
  };
}

/** The tree of one packet without its bytes. */
function tree(profile: Profile, isSent: boolean, packet: ControlPacket | Buffer): string[] {
  const bytes = Buffer.isBuffer(packet) ? packet : encode(profile, packet);
  return treesOf(profile)(isSent, bytes).filter((line) => !/^ {4}[0-9a-f]{4} {2}/.test(line));
}

/** The bytes that are shown, in hexadecimal. */
function shownBytes(lines: readonly string[]): string {
  const rows = lines.flatMap(
    (line) => /^ {4}[0-9a-f]{4} {2}((?:..)(?: {1,2}(?:[0-9a-f]{2}|\*\*))*)/.exec(line)?.[1] ?? [],
  );
  return rows.join('').replaceAll(' ', '');
}

describe('the trees of -d -d', () => {
  it('show a CONNECT with all that is in it, but no secret', () => {
    const will = {
      topic: 'w',
      payload: Buffer.from([0, 255]),
      qos: 1,
      retain: true,
      properties: { willDelayInterval: 5 },
    };
    const packet: ControlPacket = {
      ...connect(MQTT5),
      username: 'bob\u202e',
      password: Buffer.from('secret'),
      will,
      properties: {
        sessionExpiryInterval: 0xffff_ffff,
        authenticationMethod: 'SCRAM',
        authenticationData: Buffer.from('hush'),
        userProperties: [
          ['k', 'v "1"'],
          ['k', 'w'],
        ],
      },
    } as ControlPacket;
    const bytes = encode(MQTT5, packet);
    const lines = treesOf(MQTT5)(true, bytes);
    assert.deepEqual(
      lines.filter((line) => !/^ {4}[0-9a-f]{4} {2}/.test(line)),
      [
        `→ CONNECT (${bytes.length} bytes, flags 0x0)`,
        '    protocol: MQTT, level 5',
        '    clean start: yes',
        '    keep alive: 60 s',
        '    client identifier: "me"',
        '    user name: "bob\\u{202e}"',
        '    password: 6 bytes, not shown',
        '    will:',
        '        topic: "w"',
        '        QoS: 1',
        '        retain: yes',
        '        properties:',
        '            will-delay-interval: 5',
        '        payload: 2 bytes, 00 ff',
        '    properties:',
        '        session-expiry-interval: 4294967295 (never)',
        '        authentication-method: "SCRAM"',
        '        authentication-data: 4 bytes, not shown',
        '        user-property: "k" = "v \\"1\\""',
        '        user-property: "k" = "w"',
      ],
    );
    const masked = bytes.toString('hex').replace(Buffer.from('secret').toString('hex'), '*'.repeat(12));
    assert.equal(shownBytes(lines), masked.replace(Buffer.from('hush').toString('hex'), '*'.repeat(8)));
    assert.ok(!lines.join('\n').includes('secret'));
  });

  it('show a message in both directions, cut to a limit', () => {
    const message = {
      topic: 'a/b',
      qos: 1 as const,
      id: 7,
      payload: 'grün\n',
      properties: { contentType: 'text/plain', userProperties: [['k', 'v']] as [string, string][] },
    };
    const bytes = publish(MQTT5, message);
    const fields = [
      '    topic: "a/b"',
      '    QoS: 1',
      '    retain: no',
      '    duplicate: no',
      '    packet identifier: 7',
      '    properties:',
      '        content-type: "text/plain"',
      '        user-property: "k" = "v"',
      '    payload: 6 bytes, "grün\\n"',
    ];
    assert.deepEqual(tree(MQTT5, false, bytes), [`← PUBLISH (${bytes.length} bytes, flags 0x2)`, ...fields]);
    const lines: string[] = [];
    const trace = packetTrees((line) => lines.push(line), PLAIN);
    trace(true, encode(MQTT5, connect(MQTT5)), NOTHING);
    lines.length = 0;
    trace(true, bytes.subarray(0, -6), bytes.subarray(-6));
    assert.deepEqual(lines.slice(1, 10), fields);
    assert.equal(shownBytes(lines), bytes.toString('hex'));
  });

  it('cut long payloads and packets', () => {
    const text = publish(MQTT311, { topic: 't', payload: `${'x'.repeat(199)}ü${'y'.repeat(1000)}` });
    const lines = treesOf(MQTT311)(false, text);
    assert.ok(lines.includes(`    payload: 1201 bytes, "${'x'.repeat(199)}" …`));
    assert.equal(shownBytes(lines), text.toString('hex', 0, 256));
    assert.equal(lines.at(-1), `    … ${text.length - 256} more bytes`);
    const bytes = publish(MQTT311, { topic: 't', payload: Buffer.alloc(40) });
    assert.ok(tree(MQTT311, false, bytes).includes(`    payload: 40 bytes, ${'00 '.repeat(32)}…`));
    assert.ok(tree(MQTT311, false, publish(MQTT311, { topic: 't', payload: '' })).includes('    payload: 0 bytes'));
  });

  it('name codes as each version does', () => {
    const connack = { type: 2, sessionPresent: true, code: 0x87, properties: { reasonString: 'no' } } as const;
    assert.deepEqual(tree(MQTT5, false, connack).slice(1), [
      '    session present: yes',
      '    reason: 0x87 Not authorized',
      '    properties:',
      '        reason-string: "no"',
    ]);
    assert.deepEqual(tree(MQTT311, false, Buffer.from([0x20, 2, 1, 5])).slice(1), [
      '    session present: yes',
      '    return code: 5 Connection Refused: not authorised.',
    ]);
    assert.deepEqual(tree(MQTT31, false, Buffer.from([0x20, 2, 0, 0])).slice(1), [
      '    return code: 0 Connection Accepted.',
    ]);
    const suback = (code: number): ControlPacket => ({ type: 9, id: 1, codes: [1, 0, code], properties: {} });
    assert.deepEqual(tree(MQTT5, false, suback(0x87)).slice(2), [
      '    reason: 0x01 Granted QoS 1',
      '    reason: 0x00 Granted QoS 0',
      '    reason: 0x87 Not authorized',
    ]);
    assert.deepEqual(tree(MQTT311, false, suback(0x80)).at(-1), '    return code: 0x80 Failure');
    assert.deepEqual(tree(MQTT5, true, { type: 14, code: 0, properties: {} }).slice(1), [
      '    reason: 0x00 Normal disconnection',
    ]);
    assert.deepEqual(tree(MQTT311, true, { type: 14, code: 0, properties: {} }).slice(1), []);
    assert.deepEqual(tree(MQTT311, true, { type: 4, id: 3, code: 0, properties: {} }).slice(1), [
      '    packet identifier: 3',
    ]);
    assert.deepEqual(tree(MQTT5, false, { type: 4, id: 3, code: 0x10, properties: {} }).slice(1), [
      '    packet identifier: 3',
      '    reason: 0x10 No matching subscribers',
    ]);
    const auth = { authenticationMethod: 'M', authenticationData: Buffer.from('x') };
    assert.deepEqual(tree(MQTT5, false, { type: 15, code: 0x18, properties: auth }).slice(1), [
      '    reason: 0x18 Continue authentication',
      '    properties:',
      '        authentication-method: "M"',
      '        authentication-data: 1 byte, not shown',
    ]);
  });

  it('show what subscriptions ask for', () => {
    const request = { filter: 'a/#', qos: 1, noLocal: true, retainAsPublished: false, retainHandling: 2 };
    const subscribe: ControlPacket = {
      type: 8,
      id: 1,
      subscriptions: [request],
      properties: { subscriptionIdentifier: 9 },
    };
    assert.deepEqual(tree(MQTT5, true, subscribe), [
      '→ SUBSCRIBE (13 bytes, flags 0x2)',
      '    packet identifier: 1',
      '    topic filter: "a/#"',
      '        QoS: 1',
      '        no local: yes',
      '        retain as published: no',
      '        retain handling: 2 (never)',
      '    properties:',
      '        subscription-identifier: 9',
    ]);
    const plain = { ...subscribe, subscriptions: [{ ...request, noLocal: false, retainHandling: 0 }], properties: {} };
    assert.deepEqual(tree(MQTT311, true, plain).slice(2), ['    topic filter: "a/#"', '        QoS: 1']);
    assert.deepEqual(tree(MQTT311, true, { type: 10, id: 2, filters: ['x'], properties: {} }).slice(1), [
      '    packet identifier: 2',
      '    topic filter: "x"',
    ]);
  });

  it('show the bytes of what is not understood, unless they may hold a secret', () => {
    const broken = treesOf(MQTT5)(false, Buffer.from([0x90, 3, 0, 1, 1]));
    assert.match(broken[1] ?? '', /^ {4}not understood: /);
    assert.equal(shownBytes(broken), '9003000101');
    // Authentication data that is longer than its packet.
    const secret = treesOf(MQTT5)(false, Buffer.from([0xf0, 6, 0x18, 9, 0x16, 0, 9, 0x73]));
    assert.match(secret[1] ?? '', /^ {4}not understood: /);
    assert.deepEqual(secret.slice(2), ['    bytes: not shown, for they may hold a secret']);
  });

  it('show any packet, and never a secret', () => {
    const secret = Buffer.from('fefffefdfcfefffe', 'hex');
    for (const profile of [MQTT5, MQTT311, MQTT31]) {
      fc.assert(
        fc.property(controlPacket(profile), fc.boolean(), (any, isSent) => {
          const packet = { ...any } as ControlPacket & { password?: Buffer | null };
          if (packet.type === 1 && packet.password !== null) packet.password = secret;
          if ('properties' in packet && packet.properties.authenticationData !== undefined) {
            packet.properties.authenticationData = secret;
          }
          const bytes = encode(profile, packet);
          const lines = treesOf(profile)(isSent, bytes);
          const shown = shownBytes(lines);
          assert.ok(!lines.some((line) => line.includes('not understood')), lines.join('\n'));
          assert.ok(!shown.includes(secret.toString('hex')));
          const open = bytes.toString('hex').replaceAll(secret.toString('hex'), '*'.repeat(16));
          assert.equal(shown, open.slice(0, 512));
        }),
      );
    }
  });
});
