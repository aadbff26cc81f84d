import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { traceLines } from '../../../../src/cli/trace/trace.ts';
import type { PublishTrace } from '../../../../src/client/options.ts';
import type { ControlPacket } from '../../../../src/protocol/packets.ts';
import { NOT_AUTHORIZED, SUCCESS } from '../../../../src/protocol/reasons.ts';
import { MQTT5, MQTT31, MQTT311, type Profile } from '../../../../src/protocol/version.ts';
import { connectPacket as connect } from '../../../support/connect-packet.ts';

type Packet = ControlPacket | PublishTrace;

const publish: PublishTrace = { type: 3, id: 0, topic: 'a/b', qos: 0, retain: false, dup: false, payloadLength: 12 };

const ack = (type: 4 | 5 | 6 | 7, id: number, code = 0): Packet => ({ type, id, code, properties: {} });

/** The lines of packets sent (>) and received (<). */
function lines(profile: Profile, packets: readonly (readonly ['>' | '<', Packet])[]): string[] {
  const all: string[] = [];
  const trace = traceLines((line) => all.push(line));
  trace.sending(connect(profile));
  for (const [direction, packet] of packets) {
    if (direction === '>') trace.sending(packet);
    else trace.received(packet);
  }
  return all.slice(1);
}

describe('the trace of -d', () => {
  it('shows the return code of 3.x and the reason code of 5', () => {
    const refused = { type: 2, sessionPresent: false, code: NOT_AUTHORIZED.code, properties: {} } as const;
    assert.deepEqual(lines(MQTT311, [['<', refused]]), ['Client me received CONNACK (5)']);
    assert.deepEqual(lines(MQTT31, [['<', refused]]), ['Client me received CONNACK (5)']);
    assert.deepEqual(lines(MQTT5, [['<', refused]]), ['Client me received CONNACK (135)']);
    assert.deepEqual(lines(MQTT311, [['<', { ...refused, code: SUCCESS.code }]]), ['Client me received CONNACK (0)']);
  });

  it('begins with the CONNECT and goes on with an assigned client id', () => {
    const all: string[] = [];
    const trace = traceLines((line) => all.push(line));
    trace.sending(connect(MQTT5));
    trace.received({
      type: 2,
      sessionPresent: false,
      code: 0,
      properties: { assignedClientIdentifier: 'auto-1' },
    });
    trace.sending({ type: 12 });
    trace.received({ type: 13 });
    trace.sending({ type: 14, code: 0, properties: {} });
    assert.deepEqual(all, [
      'Client me sending CONNECT',
      'Client auto-1 received CONNACK (0)',
      'Client auto-1 sending PINGREQ',
      'Client auto-1 received PINGRESP',
      'Client auto-1 sending DISCONNECT',
    ]);
  });

  it('shows subscriptions line by line', () => {
    const one = { filter: 'a/#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    const two = { filter: 'b', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 };
    assert.deepEqual(
      lines(MQTT5, [
        ['>', { type: 8, id: 1, subscriptions: [one, two], properties: {} }],
        ['<', { type: 9, id: 1, codes: [1, 135], properties: {} }],
        ['>', { type: 10, id: 2, filters: ['a/#', 'b'], properties: {} }],
        ['<', { type: 11, id: 2, codes: [0, 0], properties: {} }],
      ]),
      [
        'Client me sending SUBSCRIBE (Mid: 1, Topic: a/#, QoS: 1, Options: 0x00)',
        'Client me sending SUBSCRIBE (Mid: 1, Topic: b, QoS: 2, Options: 0x2c)',
        'Client me received SUBACK',
        'Subscribed (mid: 1): 1, 135',
        'Client me sending UNSUBSCRIBE (Mid: 2, Topic: a/#)',
        'Client me sending UNSUBSCRIBE (Mid: 2, Topic: b)',
        'Client me received UNSUBACK',
      ],
    );
  });

  it('shows messages and their acknowledgements', () => {
    assert.deepEqual(
      lines(MQTT5, [
        ['>', publish],
        ['>', publish],
        ['<', publish],
        ['>', { ...publish, id: 7, qos: 2, retain: true, dup: true }],
        ['<', ack(5, 7)],
        ['>', ack(6, 7)],
        ['<', ack(7, 7)],
        ['<', { ...publish, id: 3, qos: 1 }],
        ['>', ack(4, 3)],
        ['<', ack(4, 8, 16)],
        ['>', ack(5, 9)],
        ['<', ack(6, 9)],
        ['>', ack(7, 9)],
      ]),
      [
        "Client me sending PUBLISH (d0, q0, r0, m1, 'a/b', ... (12 bytes))",
        "Client me sending PUBLISH (d0, q0, r0, m2, 'a/b', ... (12 bytes))",
        "Client me received PUBLISH (d0, q0, r0, m0, 'a/b', ... (12 bytes))",
        "Client me sending PUBLISH (d1, q2, r1, m7, 'a/b', ... (12 bytes))",
        'Client me received PUBREC (Mid: 7)',
        'Client me sending PUBREL (m7)',
        'Client me received PUBCOMP (Mid: 7, RC:0)',
        "Client me received PUBLISH (d0, q1, r0, m3, 'a/b', ... (12 bytes))",
        'Client me sending PUBACK (m3, rc0)',
        'Client me received PUBACK (Mid: 8, RC:16)',
        'Client me sending PUBREC (m9, rc0)',
        'Client me received PUBREL (Mid: 9)',
        'Client me sending PUBCOMP (m9)',
      ],
    );
  });

  it('shows what the broker ends or asks with', () => {
    assert.deepEqual(
      lines(MQTT5, [
        ['<', { type: 15, code: 24, properties: {} }],
        ['<', { type: 14, code: 142, properties: {} }],
      ]),
      ['Client me received AUTH', 'Received DISCONNECT (142)'],
    );
  });

  it('shows what the broker says beside its reasons, harmless for a terminal', () => {
    assert.deepEqual(
      lines(MQTT5, [
        ['<', { type: 4, id: 8, code: 135, properties: { reasonString: 'not \u001b[2Jyours' } }],
        ['<', { type: 14, code: 157, properties: { serverReference: 'example.org' } }],
      ]),
      [
        'Client me received PUBACK (Mid: 8, RC:135)',
        'The broker says: not \\x1b[2Jyours',
        'Received DISCONNECT (157)',
        'The broker names another server: example.org',
      ],
    );
  });
});
