// However a stream is cut into chunks, the same packets come out; nothing but a fault comes of other bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PeerFault } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { PACKET_TOO_LARGE } from '../../src/protocol/reasons.ts';
import { varintLength, writeVarint } from '../../src/protocol/writer.ts';

const open = new Uint32Array(16).fill(268_435_460);

interface Frame {
  readonly first: number;
  readonly body: string;
}

/** A PUBLISH frame of any content: the framer does not look inside. */
const frame = fc.record({
  first: fc.integer({ min: 0x30, max: 0x3f }),
  body: fc.oneof(fc.uint8Array({ maxLength: 10 }), fc.uint8Array({ minLength: 100, maxLength: 400 })),
});

function bytesOf(frames: readonly { first: number; body: Uint8Array }[]): Buffer {
  return Buffer.concat(
    frames.map(({ first, body }) => {
      const head = Buffer.alloc(1 + varintLength(body.length));
      head[0] = first;
      writeVarint(head, 1, body.length);
      return Buffer.concat([head, body]);
    }),
  );
}

/** The chunks that a stream is cut into at some places. */
function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (stream.length + 1)))].sort((a, b) => a - b);
  return [...ends, stream.length].map((end, i) => stream.subarray(i === 0 ? 0 : ends[i - 1], end));
}

test('any split of a stream into chunks gives the same frames, also when the sink stops now and then', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      (frames, places, going) => {
        const got: Frame[] = [];
        let stopped = false;
        const sink = {
          frame(buffer: Buffer, first: number, start: number, end: number): boolean {
            assert.equal(stopped, false, 'a frame came while the sink was stopped');
            got.push({ first, body: buffer.toString('hex', start, end) });
            stopped = going[got.length % going.length] === false;
            return !stopped;
          },
        };
        const framer = new Framer(open);
        for (const chunk of cut(bytesOf(frames), places)) framer.push(Buffer.from(chunk), sink);
        while (stopped) {
          stopped = false;
          framer.resume(sink);
        }
        const wanted = frames.map(({ first, body }) => ({ first, body: Buffer.from(body).toString('hex') }));
        assert.deepEqual(got, wanted);
      },
    ),
    { numRuns: 500 },
  );
});

test('of chunks whose memory is used again, the frames and all that is kept are copies', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      (frames, places, going, lending) => {
        const got: { first: number; body: Buffer }[] = [];
        let stopped = false;
        const sink = {
          frame(buffer: Buffer, first: number, start: number, end: number): boolean {
            got.push({ first, body: buffer.subarray(start, end) });
            stopped = going[got.length % going.length] === false;
            return !stopped;
          },
        };
        const framer = new Framer(open);
        const lent = Buffer.alloc(4096);
        for (const [i, chunk] of cut(bytesOf(frames), places).entries()) {
          if (lending[i % lending.length] === true) {
            chunk.copy(lent);
            framer.push(lent.subarray(0, chunk.length), sink, true);
            lent.fill(0xee);
          } else {
            framer.push(Buffer.from(chunk), sink);
          }
          if (stopped && i % 3 === 2) {
            stopped = false;
            framer.resume(sink);
          }
        }
        while (stopped) {
          stopped = false;
          framer.resume(sink);
        }
        const wanted = frames.map(({ first, body }) => ({ first, body: Buffer.from(body).toString('hex') }));
        assert.deepEqual(
          got.map(({ first, body }) => ({ first, body: body.toString('hex') })),
          wanted,
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('random bytes in random chunks give frames or a fault', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 }), (chunks) => {
      // No packet has type 0.
      const limits = new Uint32Array(16).fill(1000, 1);
      const framer = new Framer(limits);
      try {
        for (const chunk of chunks) {
          framer.push(Buffer.from(chunk), {
            frame(buffer, first, start, end) {
              assert.ok(first > 0 && start <= end && end <= buffer.length && end - start <= 1000);
              return true;
            },
          });
        }
      } catch (error) {
        assert.ok(error instanceof PeerFault, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('a packet that is announced too large is refused by its header alone; an allowed one costs what came of it', () => {
  const header = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]);
  const none = { frame: () => true };
  assert.throws(
    () => new Framer(new Uint32Array(16).fill(1000)).push(header, none),
    (error) => error instanceof PeerFault && error.reason === PACKET_TOO_LARGE,
  );
  const before = process.memoryUsage().arrayBuffers;
  const framers = Array.from({ length: 100 }, () => {
    const framer = new Framer(open);
    for (const byte of header) framer.push(Buffer.from([byte]), none);
    framer.push(Buffer.alloc(1000), none);
    return framer;
  });
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
  assert.equal(framers.length, 100);
});
