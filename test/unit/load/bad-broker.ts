// A broker that forwards messages badly, in a pattern that tests know: of each ten messages the third is lost, the fifth
// comes twice, the seventh comes behind the eighth, and with the tenth comes one that nobody of the run has sent.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { CONNECT, PUBLISH, SUBSCRIBE } from '../../../src/protocol/constants.ts';
import { Framer } from '../../../src/protocol/framer.ts';

const ANYTHING = new Uint32Array(16).fill(0xffff_ffff);

/** Listens on a free port, which it resolves to; closes with the test. */
export async function badBroker(context: TestContext): Promise<number> {
  const sockets = new Set<Socket>();
  const subscribers = new Set<Socket>();
  let count = 0;
  let kept: Buffer | null = null;
  const forward = (packet: Buffer): void => {
    for (const socket of subscribers) socket.write(packet);
  };
  const spoil = (packet: Buffer): void => {
    count = (count % 10) + 1;
    if (count === 3) return;
    if (count === 7) {
      kept = packet;
      return;
    }
    forward(packet);
    if (count === 5) forward(packet);
    if (count === 8 && kept !== null) forward(kept);
    if (count === 10) forward(Buffer.from([PUBLISH << 4, 6, 0, 1, 0x61, 1, 2, 3]));
  };
  const server = createServer((socket) => {
    const framer = new Framer(ANYTHING);
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => subscribers.delete(socket));
    const frame = (buffer: Buffer, first: number, start: number, end: number): boolean => {
      if (first >> 4 === CONNECT) socket.write(Buffer.from([0x20, 2, 0, 0]));
      if (first >> 4 === SUBSCRIBE) {
        subscribers.add(socket);
        socket.write(Buffer.from([0x90, 3, buffer[start]!, buffer[start + 1]!, 0]));
      }
      // The packets of these tests are shorter than 128 bytes: one byte of length.
      if (first >> 4 === PUBLISH) spoil(Buffer.from(buffer.subarray(start - 2, end)));
      return true;
    };
    socket.on('data', (chunk) => framer.push(chunk, { frame }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
