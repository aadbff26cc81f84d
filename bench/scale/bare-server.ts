// What holding sockets costs Node itself: a server that does nothing but accept and read.
import { createServer } from 'node:net';
import process from 'node:process';

const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', () => undefined);
});
server.listen(Number(process.argv[2]), '127.0.0.1', 4096, () => process.stderr.write('version bare running\n'));
