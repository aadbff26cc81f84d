// The framer under any chunking and any bytes: the same frames, or one fault, and never more memory than a limit.
import assert from 'node:assert/strict';
import { PeerFault } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { MQTT5 } from '../../src/protocol/version.ts';
import { Dice } from './fuzz-dice.ts';
import { mutate, packet, randomPacket } from './fuzz-packets.ts';

/** What came out of a stream. */
interface Outcome {
  readonly frames: string[];
  /** The sentence of the fault that ended it, null without. */
  readonly fault: string | null;
}

/** Lets a framer take chunks; the sink stops it at random and goes on later. */
function run(limits: Uint32Array, chunks: readonly Buffer[], stops: Dice | null): Outcome {
  const framer = new Framer(limits);
  const largest = Math.max(...limits);
  const frames: string[] = [];
  let isStopped = false;
  const sink = {
    frame(buffer: Buffer, first: number, start: number, end: number): boolean {
      assert.equal(isStopped, false, 'a frame came while the sink was stopped');
      assert.ok(start >= 2 && start <= end && end <= buffer.length, 'a frame lies outside its buffer');
      assert.ok(limits[first >> 4]! >= end - start, 'a frame is larger than its type may be');
      frames.push(`${first} ${buffer.toString('hex', start, end)}`);
      isStopped = stops?.chance(0.2) === true;
      return !isStopped;
    },
  };
  try {
    for (const chunk of chunks) {
      framer.push(chunk, sink);
      assert.ok(framer['gathered'].length <= largest, `${framer['gathered'].length} bytes gathered`);
      while (isStopped && stops?.chance(0.5) === true) {
        isStopped = false;
        framer.resume(sink);
      }
    }
    while (isStopped) {
      isStopped = false;
      framer.resume(sink);
    }
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
    assert.ok(error.message.length > 0 && error.reason.code >= 0x80);
    return { frames, fault: error.message };
  }
  return { frames, fault: null };
}

/** A stream: packets, changed ones, bodies of any size, and noise. */
function stream(dice: Dice): Buffer {
  const parts: Buffer[] = [];
  for (let count = dice.between(1, 12); count > 0; count--) {
    const whole = randomPacket(dice, MQTT5);
    const kind = dice.next();
    if (kind < 0.6) parts.push(whole);
    else if (kind < 0.75)
      parts.push(packet(dice.between(0x30, 0x3f), dice.bytes(dice.pick([0, 126, 127, 128, 200, 400]))));
    else if (kind < 0.9) parts.push(mutate(dice, whole, randomPacket(dice, MQTT5)));
    else parts.push(dice.bytes(dice.between(1, 20)));
  }
  return Buffer.concat(parts);
}

/** One stream: cut in many ways it gives the same as in one piece. */
export function fuzzFramer(seed: number): void {
  const dice = new Dice(seed);
  const bytes = stream(dice);
  const limits = new Uint32Array(16).fill(dice.pick([100, 500, 268_435_460]));
  if (dice.chance(0.5)) limits[dice.below(16)] = 0;
  const whole = run(limits, [Buffer.from(bytes)], null);
  for (const longest of [1, 2, 7, 64, 1000]) {
    const stops = dice.chance(0.5) ? dice : null;
    assert.deepEqual(run(limits, dice.cut(bytes, longest), stops), whole, `cut in pieces of up to ${longest} bytes`);
  }
  // What was announced but never came must not have been paid for.
  const framer = new Framer(limits);
  try {
    framer.push(bytes, { frame: () => true });
  } catch (error) {
    assert.ok(error instanceof PeerFault, String(error));
  }
  assert.ok(framer['gathered'].length <= 2 * bytes.length);
}
