// Steps of the well-formed traffic: clients come, take over, and leave in all ways that there are.
import assert from 'node:assert/strict';
import { DISCONNECT } from '../../src/protocol/constants.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { type Breach, drawBreach } from './fuzz-breaches.ts';
import { FuzzPeer } from './fuzz-peer.ts';
import { openPipe } from './fuzz-pipe.ts';
import { drawConnect, type Seat } from './fuzz-seat.ts';
import type { Table } from './fuzz-table.ts';
import type { ModelSession } from './fuzz-terms.ts';

/** A seat connects, or takes its own connection over. */
export async function connect(table: Table, seat: Seat): Promise<void> {
  const { dice, arena } = table;
  const old = seat.peer;
  const { packet: connect, expiry, will, link } = drawConnect(dice, seat, table.tag());
  const present = table.model.connect(seat.clientId, connect.cleanStart, expiry, will, link);
  table.tell(
    `${seat.clientId} connects ${connect.profile.option} over ${seat.kind}, clean=${connect.cleanStart}${old === null ? '' : ' (takes over)'} ${JSON.stringify(connect.properties)}${connect.will === null ? '' : ` will q${connect.will.qos} r${connect.will.retain} ${JSON.stringify(connect.will.properties)}`}${present ? ', session present' : ''}`,
  );
  const peer = new FuzzPeer(openPipe(seat.kind, arena.doors, dice), connect);
  seat.peer = peer;
  await arena.until(
    () => peer.connack !== null || peer.isOver,
    () => `CONNACK for ${seat.clientId}`,
  );
  const { connack } = peer;
  assert.equal(connack?.code, 0, 'CONNECT was refused');
  if (connect.profile.hasSessionPresent) assert.equal(connack.sessionPresent, present, 'session present');
  if (old !== null) {
    await arena.until(
      () => old.isOver,
      () => `the end of the connection of ${seat.clientId} that was taken over`,
    );
    const goodbye = old.take(DISCONNECT);
    if (old.profile.hasProperties) assert.equal(goodbye?.type === DISCONNECT && goodbye.code, 0x8e);
    else assert.equal(goodbye, null);
    assert.deepEqual(old.faults, []);
  }
  seat.aliases.clear();
  seat.topicAliasMaximum = connack.properties.topicAliasMaximum ?? 0;
  seat.receiveMaximum = connack.properties.receiveMaximum ?? 65_535;
  if (!present) seat.halves.clear();
}

/** A client leaves: with a word, without, or by breaking a rule. */
export async function leave(table: Table, seat: Seat, peer: FuzzPeer, session: ModelSession): Promise<void> {
  const { dice, arena } = table;
  const kind = dice.below(5);
  let breach: Breach | null = null;
  const goodbye = (code: number, properties: Properties): void => peer.send({ type: DISCONNECT, code, properties });
  if (kind === 0) {
    const properties: Properties = {};
    if (peer.profile.hasProperties && session.expiry > 0 && dice.chance(0.5)) {
      properties.sessionExpiryInterval = dice.pick([0, 5]);
      session.expiry = properties.sessionExpiryInterval;
    }
    session.will = null;
    table.tell(`${seat.clientId} leaves ${JSON.stringify(properties)}`);
    goodbye(0, properties);
  } else if (kind === 1 && peer.profile.hasProperties) {
    table.tell(`${seat.clientId} leaves with will`);
    goodbye(4, {});
  } else if (kind === 2) {
    table.tell(`${seat.clientId} closes`);
    peer.pipe.finish();
  } else if (kind === 3) {
    breach = drawBreach(dice, peer.profile, seat.topicAliasMaximum);
    table.tell(`${seat.clientId} breaks a rule: ${breach.bytes.toString('hex', 0, 100)}`);
    peer.send(breach.bytes);
  } else {
    table.tell(`${seat.clientId} drops`);
    peer.pipe.reset();
  }
  table.model.release(seat.clientId);
  await arena.until(
    () => arena.core.registry.get(seat.clientId)?.isOnline !== true,
    () => `the broker notices that ${seat.clientId} is gone`,
  );
  seat.peer = null;
  if (breach !== null) await checkBreach(table, peer, breach);
  if (!peer.isOver) peer.pipe.finish();
  assert.deepEqual(peer.faults, []);
}

/** The broker ends the connection and says why, if the version lets it. */
async function checkBreach(table: Table, peer: FuzzPeer, { bytes, codes }: Breach): Promise<void> {
  await table.arena.until(
    () => peer.isOver,
    () => `the end of a connection after ${bytes.toString('hex', 0, 100)}`,
  );
  const goodbye = peer.take(DISCONNECT);
  if (!peer.profile.hasProperties) assert.equal(goodbye, null);
  else assert.ok(goodbye?.type === DISCONNECT && codes.includes(goodbye.code), `DISCONNECT ${JSON.stringify(goodbye)}`);
  assert.deepEqual(peer.answers, []);
}
