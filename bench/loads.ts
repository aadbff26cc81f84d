// The loads of the comparison, and what the project allows itself beside mosquitto in each.
import type { Traffic } from './load.ts';

/** Largest shares of mosquitto's numbers that are within the budget. */
export interface Budget {
  /** Of CPU per delivery. */
  readonly cpu?: number;
  /** Of the latencies under a steady rate. */
  readonly p50?: number;
  readonly p99?: number;
}

export interface Load extends Traffic {
  readonly name: string;
  readonly budget: Budget;
}

/** Payload bytes of every message, where a load does not say otherwise. */
export const PAYLOAD = 64;
const LARGE = 65_536;

/** MQTT 3.1.1 without TLS, small payloads, as fast as it goes. */
export const usual = { level: 4, payload: PAYLOAD, isTls: false, rate: 0 } as const;

const one = { publishers: 1, subscribers: 1 } as const;
const pairs = { publishers: 50, subscribers: 50, window: 20 } as const;
const fan = (subscribers: number) => ({ publishers: 1, subscribers, window: 20 }) as const;

/** All loads. The names say what differs from `usual`. */
export const loads: readonly Load[] = [
  { ...usual, name: 'QoS 0, 1 → 1', qos: 0, ...one, window: 100, budget: { cpu: 0.2 } },
  { ...usual, name: 'QoS 0, 50 → 50 pairs', qos: 0, ...pairs, budget: { cpu: 0.2 } },
  { ...usual, name: 'QoS 0, 100 → 1', qos: 0, publishers: 100, subscribers: 1, window: 20, budget: { cpu: 0.2 } },
  { ...usual, name: 'QoS 0, 1 → 100', qos: 0, ...fan(100), budget: { cpu: 0.1 } },
  { ...usual, name: 'QoS 0, 1 → 1,000', qos: 0, ...fan(1000), budget: { cpu: 0.1 } },
  { ...usual, name: 'QoS 1, 50 → 50 pairs', qos: 1, ...pairs, budget: { cpu: 0.2 } },
  { ...usual, name: 'QoS 1, 1 → 100', qos: 1, ...fan(100), budget: { cpu: 0.1 } },
  { ...usual, name: 'QoS 2, 50 → 50 pairs', qos: 2, ...pairs, budget: { cpu: 0.2 } },
  {
    ...usual,
    name: 'QoS 0, 500 → 500 pairs, a segment each',
    qos: 0,
    publishers: 500,
    subscribers: 500,
    window: 1,
    budget: { cpu: 0.6 },
  },
  { ...usual, name: 'QoS 0, 64 KiB, 1 → 1', qos: 0, ...one, window: 8, payload: LARGE, budget: { cpu: 1 } },
  { ...usual, name: 'QoS 0, 64 KiB, 1 → 10', qos: 0, ...fan(10), window: 8, payload: LARGE, budget: { cpu: 1 } },
  {
    ...usual,
    name: 'MQTT 5, three properties, QoS 1, 50 → 50 pairs',
    level: 5,
    qos: 1,
    ...pairs,
    budget: { cpu: 0.25 },
  },
  { ...usual, name: 'TLS, QoS 0, 50 → 50 pairs', isTls: true, qos: 0, ...pairs, budget: { cpu: 0.5 } },
  {
    ...usual,
    name: '1,000 messages a second, QoS 0, 10 → 10 pairs',
    qos: 0,
    publishers: 10,
    subscribers: 10,
    window: 128,
    rate: 1000,
    budget: { p50: 1.25, p99: 1.5 },
  },
];
