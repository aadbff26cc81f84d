// What connections cost Node itself: a server that accepts, answers the first bytes with an MQTT 3.1.1 CONNACK and closes
// at the next, or holds the socket.
import { createServer } from 'node:net';
import process from 'node:process';

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

const server = createServer((socket) => {
  let isIn = false;
  socket.on('error', () => socket.destroy());
  socket.on('data', () => {
    if (isIn) socket.end();
    else socket.write(CONNACK);
    isIn = true;
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', 4096, () => process.stderr.write('running\n'));
