// Steps of the well-formed traffic: messages of every QoS, in bursts, by topic alias, and QoS 2 in halves.
import assert from 'node:assert/strict';
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from '../../src/protocol/constants.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { type PublishParts, publishPacket } from './fuzz-packets.ts';
import type { FuzzPeer } from './fuzz-peer.ts';
import { nextId, type Seat } from './fuzz-seat.ts';
import type { Table } from './fuzz-table.ts';
import type { ModelSession } from './fuzz-terms.ts';

/** The broker's own program publishes. */
export async function publishOwn(table: Table): Promise<void> {
  const { dice } = table;
  const [topic, qos, retain] = [dice.pick(table.topics), dice.pick([0, 1, 2] as const), dice.chance(0.3)];
  const payload = table.tag();
  table.tell(`the broker publishes q${qos} r${retain} ${topic} #${table.tags}`);
  table.model.publish({ topic, payload, qos, retain, properties: {}, expiresAt: 0, publisher: null });
  table.arena.broker.publish(topic, payload, { qos, retain });
}

function drawPublish(table: Table, seat: Seat, qos: number): PublishParts {
  const { dice } = table;
  const retain = dice.chance(0.3);
  const properties: Properties = {};
  if (seat.profile.hasProperties) {
    if (dice.chance(0.3)) properties.messageExpiryInterval = dice.pick([1, 2, 5, 60]);
    if (dice.chance(0.2)) properties.contentType = 'text/ü';
    if (dice.chance(0.2)) properties.payloadFormatIndicator = 1;
    if (dice.chance(0.2)) properties.responseTopic = 'answer/here';
    if (dice.chance(0.2)) properties.correlationData = dice.bytes(4);
    if (dice.chance(0.3)) {
      properties.userProperties = [
        ['b', '1'],
        ['a', '2'],
        ['b', ''],
      ];
    }
  }
  return {
    topic: dice.pick(table.topics),
    payload: retain && dice.chance(0.25) ? Buffer.alloc(0) : table.tag(),
    qos,
    retain,
    dup: false,
    id: qos === 0 ? 0 : nextId(seat),
    properties,
  };
}

/** Sends a PUBLISH, by topic alias now and then. */
function sendPublish(table: Table, seat: Seat, peer: FuzzPeer, parts: PublishParts): void {
  const { dice } = table;
  if (!peer.profile.hasProperties || seat.topicAliasMaximum === 0 || dice.chance(0.6)) {
    peer.send(publishPacket(peer.profile, parts));
    return;
  }
  const topicAlias = dice.between(1, Math.min(3, seat.topicAliasMaximum));
  const isKnown = seat.aliases.get(topicAlias) === parts.topic;
  seat.aliases.set(topicAlias, parts.topic);
  // The alias stands before or behind the others, the topic goes with it when it is new.
  const properties = dice.chance(0.5) ? { topicAlias, ...parts.properties } : { ...parts.properties, topicAlias };
  peer.send(publishPacket(peer.profile, { ...parts, topic: isKnown ? '' : parts.topic, properties }));
}

/** The reason code that a PUBLISH must be acknowledged with. */
function expectPublish(table: Table, seat: Seat, peer: FuzzPeer, parts: PublishParts): number {
  const { messageExpiryInterval, ...properties } = parts.properties;
  const hasMatch = table.model.publish({
    topic: parts.topic,
    payload: parts.payload,
    qos: parts.qos,
    retain: parts.retain,
    properties,
    expiresAt: messageExpiryInterval === undefined ? 0 : table.model.now + messageExpiryInterval * 1000,
    publisher: seat.clientId,
  });
  return hasMatch || !peer.profile.hasProperties ? 0 : 0x10;
}

/** A client publishes one message, or several at once. */
export async function publish(table: Table, seat: Seat, peer: FuzzPeer, session: ModelSession): Promise<void> {
  const room = seat.receiveMaximum - session.inbound.size;
  // A burst may fill a small queue for a moment although every client acknowledges at once.
  const mayBurst = table.options.model.maxQueued >= 1000;
  const burst = mayBurst && table.dice.chance(0.3) ? table.dice.between(2, 6) : 1;
  const sent: { parts: PublishParts; code: number }[] = [];
  for (let i = 0; i < burst; i++) {
    const parts = drawPublish(table, seat, table.dice.below(i < room ? 3 : 1));
    const { topic, qos, retain, payload, properties } = parts;
    table.tell(
      `${seat.clientId} publishes q${qos} r${retain} ${topic} ${payload.length === 0 ? 'nothing' : `#${table.tags} (${payload.length})`} ${JSON.stringify(properties)}`,
    );
    sent.push({ parts, code: expectPublish(table, seat, peer, parts) });
    sendPublish(table, seat, peer, parts);
  }
  for (const { parts, code } of sent) {
    if (parts.qos === 0) continue;
    const answer = await table.answer(peer, parts.qos === 1 ? PUBACK : PUBREC, parts.id);
    assert.equal(answer.code, code, `reason code for #${parts.payload.toString('latin1', 0, 10)}`);
    if (parts.qos === 2) await releaseOwn(table, peer, parts.id);
  }
}

async function releaseOwn(table: Table, peer: FuzzPeer, id: number): Promise<void> {
  peer.send({ type: PUBREL, id, code: 0, properties: {} });
  assert.equal((await table.answer(peer, PUBCOMP, id)).code, 0);
}

/** A QoS 2 message stops before PUBREL; or one that did is sent again, which must not deliver it again, and finished. */
export async function publishHalf(table: Table, seat: Seat, peer: FuzzPeer, session: ModelSession): Promise<void> {
  const [half] = seat.halves;
  if (half !== undefined && table.dice.chance(0.6)) {
    const [id, parts] = half;
    if (table.dice.chance(0.7)) {
      table.tell(`${seat.clientId} repeats #${parts.payload.toString('latin1', 1, 6)} (id ${id})`);
      peer.send(publishPacket(peer.profile, { ...parts, dup: true }));
      await table.answer(peer, PUBREC, id);
    }
    table.tell(`${seat.clientId} releases id ${id}`);
    await releaseOwn(table, peer, id);
    session.inbound.delete(id);
    seat.halves.delete(id);
    return;
  }
  if (session.inbound.size + 1 >= Math.min(seat.receiveMaximum, table.options.model.maxInflight)) return;
  const { messageExpiryInterval: _, ...properties } = drawPublish(table, seat, 2).properties;
  const parts = { ...drawPublish(table, seat, 2), properties };
  table.tell(`${seat.clientId} publishes half q2 r${parts.retain} ${parts.topic} #${table.tags} (id ${parts.id})`);
  const code = expectPublish(table, seat, peer, parts);
  session.inbound.add(parts.id);
  seat.halves.set(parts.id, parts);
  sendPublish(table, seat, peer, parts);
  assert.equal((await table.answer(peer, PUBREC, parts.id)).code, code);
}
