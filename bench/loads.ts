// The loads of the comparison, and what the project allows itself beside mosquitto in each.

export interface Load {
  readonly name: string;
  readonly qos: 0 | 1;
  readonly publishers: number;
  readonly subscribers: number;
  /** Messages of one publisher on their way at any time. */
  readonly window: number;
  /** Largest share of mosquitto's CPU per delivery that is within the budget. */
  readonly budget: number;
}

const shapes = [
  { shape: '1 → 1', publishers: 1, subscribers: 1, window: 100, budget: 0.5 },
  { shape: '1 → 50', publishers: 1, subscribers: 50, window: 20, budget: 0.25 },
  { shape: '50 → 50 pairs', publishers: 50, subscribers: 50, window: 20, budget: 0.5 },
] as const;

/** All loads, QoS 0 first. */
export const loads: readonly Load[] = ([0, 1] as const).flatMap((qos) =>
  shapes.map(({ shape, ...rest }) => ({ name: `QoS ${qos}, ${shape}`, qos, ...rest })),
);

/** Payload bytes of every message. */
export const PAYLOAD = 64;
