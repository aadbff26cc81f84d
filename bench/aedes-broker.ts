// Aedes as a broker process for the comparison: node aedes-broker.js PORT
import { createServer } from 'node:net';
import process from 'node:process';
import { Aedes } from 'aedes';

const port = Number(process.argv[2]);
const broker = await Aedes.createBroker({ maxClientsIdLength: 64 });
const server = createServer(broker.handle);
server.listen(port, '127.0.0.1', () => process.stderr.write('aedes version of package.json running\n'));
process.once('SIGTERM', () => process.exit(0));
