// A connection that is not wanted, but may be told so: if its CONNECT comes at once and in one piece, it is answered by a
// CONNACK; else the line is just closed. What this costs is bounded in time and in connections.
import type { Transport } from '../net/transport.ts';
import { CONNACK, CONNECT } from '../protocol/constants.ts';
import { decodeConnect } from '../protocol/decode.ts';
import { encode } from '../protocol/encode.ts';
import { PeerFault } from '../protocol/errors.ts';
import { Framer, type SizeLimits } from '../protocol/framer.ts';
import { NO_PROPERTIES } from '../protocol/properties.ts';
import type { Reason } from '../protocol/reasons.ts';

/** Connections that are waited for at a time, and the milliseconds for each. */
const MOST_WAITING = 100;
const WAIT_MS = 1_000;

/** Turns connections away. */
export class TurnAway {
  private waiting: number;

  constructor() {
    this.waiting = 0;
  }

  /** Refuses a connection that nobody has attached to yet. `sizes` are those that hold before CONNECT. */
  refuse(transport: Transport, sizes: SizeLimits, reason: Reason): void {
    if (this.waiting >= MOST_WAITING) {
      transport.destroy();
      return;
    }
    this.waiting += 1;
    const timer = setTimeout(() => transport.destroy(), WAIT_MS);
    transport.attach({
      receive: (chunk) => {
        const answer = answerTo(chunk, sizes, reason);
        if (answer !== null) transport.write(answer);
        transport.end();
      },
      writable: () => undefined,
      closed: () => {
        clearTimeout(timer);
        this.waiting -= 1;
      },
    });
  }
}

/** The CONNACK for the CONNECT that a chunk starts with; null where there is none. */
function answerTo(chunk: Buffer, sizes: SizeLimits, reason: Reason): Buffer | null {
  let answer: Buffer | null = null;
  const frame = (buffer: Buffer, first: number, start: number, end: number): boolean => {
    if (first >> 4 === CONNECT) {
      const { profile } = decodeConnect(buffer, start, end);
      answer = encode(profile, { type: CONNACK, sessionPresent: false, code: reason.code, properties: NO_PROPERTIES });
    }
    return false;
  };
  try {
    new Framer(sizes).push(chunk, { frame });
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
  }
  return answer;
}
