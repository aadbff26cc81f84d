// Steps of the well-formed traffic: subscriptions, and acknowledgements that come late, in any order or as a refusal.
import assert from 'node:assert/strict';
import { SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE } from '../../src/protocol/constants.ts';
import type { SubackPacket, SubscriptionRequest, UnsubackPacket } from '../../src/protocol/packets.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { splitShared } from '../../src/protocol/topic.ts';
import type { FuzzPeer } from './fuzz-peer.ts';
import { nextId, type Seat } from './fuzz-seat.ts';
import type { Table } from './fuzz-table.ts';
import type { ModelSession } from './fuzz-terms.ts';

/** A client subscribes to some filters, new ones or its own. */
export async function subscribe(table: Table, seat: Seat, peer: FuzzPeer, session: ModelSession): Promise<void> {
  if (session.link!.holds !== 'nothing') release(table, seat, peer, session);
  const { dice } = table;
  const { hasProperties } = peer.profile;
  const requests = new Map<string, SubscriptionRequest>();
  for (let count = dice.between(1, 3); count > 0; count--) {
    const isShared = table.options.shares && dice.chance(0.5);
    const filter = (isShared ? `$share/${dice.pick(['g', 'h'])}/` : '') + dice.pick(table.filters);
    requests.set(filter, {
      filter,
      qos: dice.below(3),
      noLocal: hasProperties && !isShared && dice.chance(0.3),
      retainAsPublished: hasProperties && dice.chance(0.4),
      retainHandling: hasProperties ? dice.below(3) : 0,
    });
  }
  const identifier = hasProperties && dice.chance(0.4) ? dice.pick([1, 127, 128, 268_435_455]) : null;
  const id = nextId(seat);
  const subscriptions = [...requests.values()];
  table.tell(`${seat.clientId} subscribes ${JSON.stringify(subscriptions)} id=${identifier}`);
  for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of subscriptions) {
    const one = { filter, shared: splitShared(filter), qos, noLocal, retainAsPublished, identifier };
    table.model.subscribe(session, one, retainHandling);
  }
  const properties: Properties = identifier === null ? {} : { subscriptionIdentifier: identifier };
  peer.send({ type: SUBSCRIBE, id, subscriptions, properties });
  const { codes } = (await table.answer(peer, SUBACK, id)) as unknown as SubackPacket;
  assert.deepEqual(
    codes,
    subscriptions.map(({ qos }) => qos),
  );
}

/** A client unsubscribes from some of its filters, and from one that it has not. */
export async function unsubscribe(table: Table, seat: Seat, peer: FuzzPeer, session: ModelSession): Promise<void> {
  const { dice } = table;
  const own = [...session.subscriptions.keys()];
  const filters = Array.from({ length: dice.between(1, 2) }, () =>
    own.length > 0 && dice.chance(0.8) ? dice.pick(own) : dice.pick(table.filters),
  );
  table.tell(`${seat.clientId} unsubscribes ${filters}`);
  const wanted = filters.map((filter) => (session.subscriptions.delete(filter) ? 0 : 0x11));
  const id = nextId(seat);
  peer.send({ type: UNSUBSCRIBE, id, filters, properties: {} });
  const { codes } = (await table.answer(peer, UNSUBACK, id)) as unknown as UnsubackPacket;
  assert.deepEqual(codes, peer.profile.hasProperties ? wanted : []);
}

/** A client begins to hold acknowledgements back, gives some of them in any order, or all. */
export async function hold(table: Table, seat: Seat, peer: FuzzPeer, session: ModelSession): Promise<void> {
  if (table.options.shares) return;
  const { dice } = table;
  const link = session.link!;
  if (link.holds === 'nothing') {
    link.holds = dice.pick(['acks', 'completions'] as const);
    peer.holds = link.holds;
    table.tell(`${seat.clientId} holds back ${link.holds}`);
  } else if (dice.chance(0.3)) {
    release(table, seat, peer, session);
  } else {
    const copies = session.inflight.filter((copy) => copy.sent && dice.chance(0.5));
    const isRefusal = peer.profile.hasProperties && link.holds === 'acks' && dice.chance(0.2);
    table.tell(`${seat.clientId} ${isRefusal ? 'refuses' : 'acknowledges'} ${copies.map(({ id }) => id)}`);
    table.model.finish(session, copies, isRefusal);
    for (const { id } of copies) peer.acknowledge(id!, isRefusal ? 0x80 : 0);
  }
}

/** Everything that was held back is acknowledged, and what comes from now on, too. */
function release(table: Table, seat: Seat, peer: FuzzPeer, session: ModelSession): void {
  table.tell(`${seat.clientId} acknowledges everything`);
  session.link!.holds = 'nothing';
  peer.holds = 'nothing';
  const ids = [...peer.pending.keys()];
  table.model.finish(
    session,
    session.inflight.filter((copy) => copy.sent),
    false,
  );
  for (const id of ids) peer.acknowledge(id);
}
