// Deliveries and the model's copies, side by side: whether one is the other, and how a difference is told.
import type { Properties } from '../../src/protocol/properties.ts';
import type { Delivery } from './fuzz-peer.ts';
import type { Copy } from './fuzz-terms.ts';

function propertyText(properties: Properties): string {
  const { messageExpiryInterval: _, subscriptionIdentifiers: __, ...rest } = properties;
  const sorted = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(sorted);
}

/** A payload, or its beginning. */
export function payloadText(payload: Buffer): string {
  return payload.length > 40 ? `${payload.toString('latin1', 0, 12)}… (${payload.length})` : payload.toString('latin1');
}

function line(
  qos: number,
  retain: boolean,
  dup: boolean,
  topic: string,
  identifiers: readonly number[],
  properties: string,
  payload: Buffer,
): string {
  const flags = `q${qos} r${Number(retain)} d${Number(dup)}`;
  return `${flags} '${topic}' [${[...identifiers].sort((a, b) => a - b)}] ${properties} "${payloadText(payload)}"`;
}

/** A delivery as a line of text. */
export function deliveryText({ qos, retain, dup, topic, properties, payload }: Delivery): string {
  return line(qos, retain, dup, topic, properties.subscriptionIdentifiers ?? [], propertyText(properties), payload);
}

/** The line of text that the delivery of a copy must be. */
export function copyText(copy: Copy, hasProperties: boolean): string {
  const { message, qos, retain, dup, identifiers } = copy;
  const properties = propertyText(hasProperties ? message.properties : {});
  return line(qos, retain, dup, message.topic, hasProperties ? identifiers : [], properties, message.payload);
}

/** Whether a delivery is this copy, the identifier of a repeated one included. */
export function isCopy(delivery: Delivery, copy: Copy, hasProperties: boolean): boolean {
  if (deliveryText(delivery) !== copyText(copy, hasProperties)) return false;
  if (!delivery.payload.equals(copy.message.payload)) return false;
  if (copy.dup && copy.id !== null && copy.id !== delivery.id) return false;
  const left = hasProperties ? copy.remaining : null;
  const said = delivery.properties.messageExpiryInterval;
  // The standard does not say how a part of a second is rounded.
  return left === null ? said === undefined : said === Math.ceil(left) || said === Math.floor(left);
}

/** Whether a delivery is this copy, whatever is left of its life: how long it waited is not always known here. */
export function saysTheSame(delivery: Delivery, copy: Copy, hasProperties: boolean): boolean {
  return (
    deliveryText({ ...delivery, dup: false }) === copyText({ ...copy, dup: false }, hasProperties) &&
    delivery.payload.equals(copy.message.payload)
  );
}
