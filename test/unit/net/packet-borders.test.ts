// Packets are found in a stream however it is cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PacketBorders } from '../../../src/net/packet-borders.ts';
import { packet } from '../../support/wire-bytes.ts';

/** Lengths of the pieces that a stream of these chunks is cut into. */
function pieces(chunks: readonly Buffer[]): number[] {
  const borders = new PacketBorders();
  return chunks.flatMap((chunk) => {
    const found: number[] = [];
    for (let at = 0; at < chunk.length; ) {
      const end = borders.next(chunk, at);
      found.push(end - at);
      at = end;
    }
    return found;
  });
}

test('packets of all lengths of the remaining length are kept apart', () => {
  const packets = [0, 2, 127, 128, 16_383, 16_384, 2_097_152].map((length) =>
    packet('PUBLISH', 0, [Buffer.alloc(length)]),
  );
  assert.deepEqual(
    pieces([Buffer.concat(packets)]),
    packets.map(({ length }) => length),
  );
});

test('cuts add borders and move none', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(sizes, fc.array(fc.nat(3000), { maxLength: 12 }), (lengths, cuts) => {
      const packets = lengths.map((length) => packet('PUBLISH', 0, [Buffer.alloc(length, 0xff)]));
      const stream = Buffer.concat(packets);
      const edges = [...new Set([0, ...cuts.filter((cut) => cut < stream.length), stream.length])].sort(
        (a, b) => a - b,
      );
      const chunks = edges.slice(1).map((edge, i) => stream.subarray(edges[i], edge));
      const ends = packets.map((_packet, i) => Buffer.concat(packets.slice(0, i + 1)).length);
      const found = pieces(chunks);
      const borders = found.map((_length, i) => found.slice(0, i + 1).reduce((sum, length) => sum + length, 0));
      assert.deepEqual(
        borders,
        [...new Set([...ends, ...edges.slice(1)])].sort((a, b) => a - b),
      );
    }),
  );
});
