// The project's client library with aedes, another broker for Node, which speaks MQTT 3.1 and 3.1.1.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Aedes } from 'aedes';
import { type Exceptions, playAll } from './library-play.ts';
import type { Places } from './library-stage.ts';
import { ownMaker } from './own-player.ts';
import type { Place } from './player.ts';

/** What is not played, and why; where aedes deviates, the standard's clause is named. */
const EXCEPTIONS: Exceptions = {
  'a wrong password and none are refused': 'one listener only',
  'what may not be read is not delivered': 'one listener only',
  'WebSocket and TLS': 'one listener only',
  'every QoS, granted as asked': 'messages of QoS 2 reach a wildcard subscription of QoS 1 as QoS 2 [MQTT3-3.8.4-6]',
  'QoS 1 and 2 inwards over cut connections': 'after PUBREC it sends PUBLISH again, not PUBREL [MQTT3-4.4.0-1]',
};

test('the client of mqtt-suite with aedes', { concurrency: true }, async (context) => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    return new Promise<void>((resolve) => aedes.close(() => resolve()));
  });
  const address = server.address();
  const place: Place = { kind: 'tcp', port: typeof address === 'object' ? (address?.port ?? 0) : 0, ca: '' };
  const places: Places = { breaks: [], plain: place, guarded: place, ws: place, tls: place };
  await Promise.all(
    ([3, 4] as const).map((level) =>
      context.test(`protocol level ${level}`, { concurrency: true }, (inner) =>
        playAll(inner, ownMaker, level, places, EXCEPTIONS),
      ),
    ),
  );
});
