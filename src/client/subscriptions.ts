// What a client is subscribed to, so that it can subscribe anew where the broker has lost the session.
import { SUBSCRIBE } from '../protocol/constants.ts';
import type { SubscribePacket, SubscriptionRequest } from '../protocol/packets.ts';
import type { Properties } from '../protocol/properties.ts';
import { isRefusal, SUCCESS, UNSPECIFIED_ERROR } from '../protocol/reasons.ts';

/** Most filters in one SUBSCRIBE. */
const BATCH = 100;

/** Granted subscriptions. */
export class Subscriptions {
  private readonly byFilter: Map<string, { request: SubscriptionRequest; properties: Properties }>;

  constructor() {
    this.byFilter = new Map();
  }

  /** SUBACK came: what it grants is kept. */
  granted(packet: Omit<SubscribePacket, 'id'>, codes: readonly number[]): void {
    packet.subscriptions.forEach((request, i) => {
      if (!isRefusal(codes[i] ?? UNSPECIFIED_ERROR.code))
        this.byFilter.set(request.filter, { request, properties: packet.properties });
    });
  }

  /** UNSUBACK came. Before MQTT 5 it has no codes and takes every filter away. */
  removed(filters: readonly string[], codes: readonly number[]): void {
    filters.forEach((filter, i) => {
      if (!isRefusal(codes[i] ?? SUCCESS.code)) this.byFilter.delete(filter);
    });
  }

  /** SUBSCRIBE packets that bring all of it back. Filters with different properties cannot share one. */
  requests(): Omit<SubscribePacket, 'id'>[] {
    const packets: { properties: Properties; subscriptions: SubscriptionRequest[] }[] = [];
    for (const { request, properties } of this.byFilter.values()) {
      const last = packets[packets.length - 1];
      if (last !== undefined && last.properties === properties && last.subscriptions.length < BATCH) {
        last.subscriptions.push(request);
      } else {
        packets.push({ properties, subscriptions: [request] });
      }
    }
    return packets.map((packet) => ({ type: SUBSCRIBE, ...packet }));
  }
}
