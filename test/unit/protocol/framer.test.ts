import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNECT, PINGREQ, PUBLISH } from '../../../src/protocol/constants.ts';
import { MalformedPacket, PeerFault, TlsOnPlainConnection, UnexpectedPacket } from '../../../src/protocol/errors.ts';
import { Framer } from '../../../src/protocol/framer.ts';
import { PACKET_TOO_LARGE } from '../../../src/protocol/reasons.ts';

const open = new Uint32Array(16).fill(268_435_460);

/** Feeds chunks given in hex and tells the frames as `first:body`. */
function frames(framer: Framer, ...chunks: string[]): string[] {
  const found: string[] = [];
  for (const chunk of chunks) {
    framer.push(Buffer.from(chunk, 'hex'), {
      frame(buffer, first, start, end) {
        found.push(`${first.toString(16)}:${buffer.toString('hex', start, end)}`);
        return true;
      },
    });
  }
  return found;
}

test('packets are handed out in place when they are whole in their chunk', () => {
  const chunk = Buffer.from('c000' + '3003000161' + 'c000' + '30', 'hex');
  const places: number[] = [];
  const framer = new Framer(open);
  framer.push(chunk, {
    frame(buffer, _, start, end) {
      assert.equal(buffer, chunk);
      places.push(start, end);
      return true;
    },
  });
  assert.deepEqual(places, [2, 2, 4, 7, 9, 9]);
  assert.deepEqual(frames(framer, '03', '000162'), ['30:000162']);
});

test('reserved flags must be what they are in each type [MQTT-2.1.3-1, MQTT3-2.2.2-1, MQTT3-2.2.2-2]', () => {
  for (let type = 1; type <= 15; type++) {
    for (let flags = 0; flags <= 15; flags++) {
      const first = (type << 4) | flags;
      const isRight = type === PUBLISH || flags === ([6, 8, 10].includes(type) ? 2 : 0);
      const feed = (): string[] => frames(new Framer(open), `${first.toString(16)}00`);
      if (isRight) assert.equal(feed().length, 1);
      else if (first === 0x16) assert.throws(feed, TlsOnPlainConnection);
      else assert.throws(feed, MalformedPacket);
    }
  }
});

test('of MQTT 3.1 the reserved flags are let pass', () => {
  const framer = new Framer(open);
  framer.flagsAreLoose = true;
  assert.deepEqual(frames(framer, '8a00', '6a00'), ['8a:', '6a:']);
});

test('a type that must not come is refused by its first byte', () => {
  const limits = new Uint32Array(16);
  limits[CONNECT] = 100;
  assert.throws(
    () => frames(new Framer(limits), 'c0'),
    (error) => error instanceof UnexpectedPacket && error.first === 0xc0,
  );
  assert.throws(() => frames(new Framer(open.map((limit, type) => (type === 0 ? 0 : limit))), '00'), UnexpectedPacket);
  const framer = new Framer(limits);
  assert.deepEqual(frames(framer, '100161'), ['10:61']);
  limits[PINGREQ] = 2;
  assert.deepEqual(frames(framer, 'c000'), ['c0:']);
});

test('the limit holds for the whole packet, header included, and is judged by the header alone', () => {
  const limits = new Uint32Array(16).fill(10);
  assert.deepEqual(frames(new Framer(limits), '300800066162636465' + '66'), ['30:0006616263646566']);
  for (const chunks of [['3009'], ['30', '09'], ['30ffffff7f']]) {
    assert.throws(
      () => frames(new Framer(limits), ...chunks),
      (error) => error instanceof PeerFault && error.reason === PACKET_TOO_LARGE,
    );
  }
});

test('remaining lengths are at most four bytes and the fewest that do', () => {
  for (const chunks of [['30808080', '8001'], ['3080808080'], ['308000'], ['30ff', '00'], ['30', '80', '80', '00']]) {
    assert.throws(() => frames(new Framer(open), ...chunks), MalformedPacket, chunks.join(' '));
  }
  assert.deepEqual(frames(new Framer(open), `308001${'00'.repeat(128)}`).length, 1);
  assert.deepEqual(frames(new Framer(open), '30ffff', '7f', '00').length, 0);
});

test('what comes while the sink wants nothing waits, also behind a packet that straddled chunks', () => {
  const got: string[] = [];
  let going = false;
  const sink = {
    frame(buffer: Buffer, _: number, start: number, end: number): boolean {
      got.push(buffer.toString('utf8', start + 3, end));
      return going;
    },
  };
  const framer = new Framer(open);
  const packet = (letter: string): Buffer => Buffer.from(`300400014${letter}7a`, 'hex');
  const stream = Buffer.concat(['1', '2', '3', '4'].map(packet));
  framer.push(stream.subarray(0, 3), sink);
  framer.push(stream.subarray(3, 14), sink);
  framer.push(stream.subarray(14), sink);
  assert.equal(got.length, 1);
  framer.resume(sink);
  assert.equal(got.length, 2);
  going = true;
  framer.resume(sink);
  assert.deepEqual(got, ['z', 'z', 'z', 'z']);
  framer.push(packet('5'), sink);
  assert.equal(got.length, 5);
});
