// What the two ends of the log say to each other: the broker's thread fills groups, the worker's thread writes them.

/** To the worker. */
export type LogRequest =
  /** Write a group into a segment; a number that was not used before begins a new one. */
  | {
      readonly kind: 'write';
      readonly group: number;
      readonly segment: number;
      readonly bytes: ArrayBuffer;
      readonly length: number;
      readonly isSynced: boolean;
    }
  /** Write the group that failed into this segment. */
  | { readonly kind: 'retry'; readonly segment: number }
  | { readonly kind: 'sync' }
  | { readonly kind: 'read'; readonly segment: number }
  | { readonly kind: 'remove'; readonly segment: number }
  | { readonly kind: 'close' };

/** From the worker. */
export type LogReply =
  /** The group is where it was to be; its buffer comes back. `took` is in milliseconds. */
  | { readonly kind: 'written'; readonly group: number; readonly spare: ArrayBuffer; readonly took: number }
  | {
      readonly kind: 'failed';
      readonly what: 'write' | 'sync' | 'read' | 'remove' | 'close';
      readonly error: string;
      readonly code: string;
    }
  | { readonly kind: 'synced' }
  | {
      readonly kind: 'content';
      readonly segment: number;
      readonly bytes: ArrayBuffer;
      readonly records: readonly number[];
    }
  | { readonly kind: 'removed'; readonly segment: number }
  | { readonly kind: 'closed' };

/** The broker's end of the line to a worker. */
export interface LogPort {
  /** Called with each reply. */
  onReply: ((reply: LogReply) => void) | null;
  /** The ArrayBuffer of a write changes hands. */
  send(request: LogRequest): void;
  /** Ends the worker's thread. */
  end(): void;
}
