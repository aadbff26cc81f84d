// One question to the broker's process over the socket of watch.ts.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Watched } from './watch.ts';

/** Asks what was watched since the last 'clear'. */
export async function ask(path: string, question: 'clear' | 'read' | 'collect'): Promise<Watched> {
  const socket = connect(path).setEncoding('utf8');
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write(`${question}\n`);
  await once(socket, 'end');
  return JSON.parse(text);
}
