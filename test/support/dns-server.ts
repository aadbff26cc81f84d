// A name server on the loopback address that knows nothing but the SRV records of a test (RFC 1035 section 4, RFC 2782).
import { createSocket } from 'node:dgram';
import type { SrvRecord } from 'node:dns';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

const SRV = 33;

/** Letters of a name with their lengths in front. */
const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function encodeRecord({ priority, weight, port, name }: SrvRecord): Buffer {
  const target = encodeName(name);
  const head = Buffer.alloc(18);
  head.writeUInt16BE(0xc00c, 0); // the name of the question
  head.writeUInt16BE(SRV, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(6 + target.length, 10);
  head.writeUInt16BE(priority, 12);
  head.writeUInt16BE(weight, 14);
  head.writeUInt16BE(port, 16);
  return Buffer.concat([head, target]);
}

/** The question of a query: the name, and the bytes of it all. */
function readQuestion(query: Buffer): { name: string; bytes: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), bytes: query.subarray(12, at + 5) };
}

/** Starts the server; `asked` gathers the names that were asked for, and other names do not exist. */
export async function dnsServer(
  context: TestContext,
  records: Readonly<Record<string, readonly SrvRecord[]>>,
): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, bytes } = readQuestion(query);
    asked.push(name);
    const found = records[name.toLowerCase()];
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(found?.length ?? 0, 6);
    socket.send(Buffer.concat([head, bytes, ...(found ?? []).map(encodeRecord)]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  context.after(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked };
}
