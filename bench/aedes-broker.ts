// Aedes as a broker process for the comparison: node aedes-broker.js PORT [CERTIFICATE KEY]
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import process from 'node:process';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';

const [, , port, cert, key] = process.argv;
const broker = await Aedes.createBroker({ maxClientsIdLength: 64 });
const server =
  cert === undefined || key === undefined
    ? createServer(broker.handle)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, broker.handle);
server.listen(Number(port), '127.0.0.1', () => process.stderr.write('aedes version of package.json running\n'));
process.once('SIGTERM', () => process.exit(0));
