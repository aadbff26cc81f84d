// What clients got against what the model says that they must get.
import { copyText, deliveryText, isCopy, payloadText, saysTheSame } from './fuzz-compare.ts';
import type { Delivery, FuzzPeer } from './fuzz-peer.ts';
import type { Extra, SlotBook } from './fuzz-slots.ts';
import type { Copy, ModelSession } from './fuzz-terms.ts';

/** What one client got, and what it must have got. */
export interface Ledger {
  readonly peer: FuzzPeer;
  readonly session: ModelSession;
}

/** Pairs what came with what was expected, in the order in which it came; returns what is left of both. */
function pair({ peer, session }: Ledger): { extra: Delivery[]; missing: Copy[] } {
  const missing = [...session.expected.copies];
  const extra: Delivery[] = [];
  for (const delivery of peer.deliveries) {
    const { hasProperties } = peer.profile;
    const copy =
      missing.find((one) => isCopy(delivery, one, hasProperties)) ??
      exchange(
        session,
        missing,
        [...session.queue, ...session.dropped].find((one) => saysTheSame(delivery, one, hasProperties)),
      );
    if (copy === null) {
      extra.push(delivery);
      continue;
    }
    missing.splice(missing.indexOf(copy), 1);
    copy.id = delivery.qos === 0 ? null : delivery.id;
  }
  return { extra, missing };
}

/**
 * Overlapping subscriptions have their copies of a message sent in any order: where window or queue are too small for all,
 * one that was thought to wait, or to be dropped, may be sent in the place of another. Gives the one that was sent.
 */
function exchange(session: ModelSession, missing: Copy[], came: Copy | undefined): Copy | null {
  const at = missing.findIndex(({ message, qos, dup }) => message === came?.message && qos > 0 && !dup);
  if (came === undefined || at < 0) return null;
  const waits = missing[at]!;
  missing[at] = came;
  const swap = (list: Copy[]): Copy[] => list.map((copy) => (copy === waits ? came : copy));
  const give = (list: Copy[]): Copy[] => list.map((copy) => (copy === came ? waits : copy));
  session.queue = give(session.queue);
  session.dropped = give(session.dropped);
  session.inflight = swap(session.inflight);
  session.expected.copies = swap(session.expected.copies);
  session.expected.releases = session.expected.releases.filter((copy) => copy !== waits);
  came.released = came.qos === 2 && session.link?.holds === 'completions';
  if (came.released) session.expected.releases.push(came);
  came.sent = true;
  waits.sent = false;
  waits.released = false;
  return came;
}

/** Messages of one topic and QoS come in their order [MQTT-4.6.0-6]; copies of one message in any. */
function orderFault({ peer, session }: Ledger): string | null {
  const lanes = new Map<string, Buffer[]>();
  for (const { message, qos } of session.expected.copies) {
    const lane = `${qos} ${message.topic}`;
    lanes.set(lane, [...(lanes.get(lane) ?? []), message.payload]);
  }
  for (const { qos, topic, payload } of peer.deliveries) {
    const wanted = lanes.get(`${qos} ${topic}`)?.shift();
    if (wanted !== undefined && !wanted.equals(payload)) return `out of order: '${topic}' ${payloadText(payload)}`;
  }
  return null;
}

/** A description of every difference; empty if there is none. Takes what was compared. */
export function differences(ledgers: ReadonlyMap<string, Ledger>, slots: SlotBook): string[] {
  const found: string[] = [];
  const extras: Extra[] = [];
  for (const [clientId, ledger] of ledgers) {
    const { peer, session } = ledger;
    const { hasProperties } = peer.profile;
    const { extra, missing } = pair(ledger);
    extras.push(...extra.map((delivery) => ({ clientId, delivery, hasProperties })));
    for (const copy of missing) {
      found.push(
        `${clientId} should have got: ${copyText(copy, hasProperties)} id=${copy.id} expiry=${copy.remaining}`,
      );
    }
    if (extra.length === 0 && missing.length === 0) {
      const disorder = orderFault(ledger);
      if (disorder !== null) found.push(`${clientId}: ${disorder}`);
    }
    found.push(...releaseFaults(clientId, ledger, extra));
    peer.deliveries = [];
    peer.releases = [];
    session.expected.copies = [];
    session.expected.releases = [];
  }
  const { surplus, unfilled } = slots.settle(extras);
  for (const { clientId, delivery } of surplus) {
    const { messageExpiryInterval: expiry } = delivery.properties;
    found.push(`${clientId} got, but should not have: ${deliveryText(delivery)} id=${delivery.id} expiry=${expiry}`);
  }
  for (const { candidates } of unfilled) {
    const [[first, copy]] = [...candidates] as [[string, Copy]];
    found.push(`none of ${[...candidates.keys()]} got what ${first} would have got as ${copyText(copy, true)}`);
  }
  return found;
}

/** Every QoS 2 message has its PUBREL; who takes one of a shared subscription has it, too. */
function releaseFaults(clientId: string, { peer, session }: Ledger, extra: readonly Delivery[]): string[] {
  const ids = session.expected.releases.map(({ id }) => id);
  const came = peer.releases.filter((id) => {
    const at = ids.indexOf(id);
    if (at >= 0) ids.splice(at, 1);
    return at < 0;
  });
  const surplus = came.filter((id) => !extra.some((delivery) => delivery.id === id && delivery.qos === 2));
  return [
    ...(surplus.length > 0 ? [`${clientId} got PUBREL for ${surplus}`] : []),
    ...(ids.length > 0 ? [`${clientId} should have got PUBREL for ${ids}`] : []),
  ];
}
