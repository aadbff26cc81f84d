// Declares the tests of one client library with one broker: all scenarios in all versions, at the same time.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeCertificate } from '../support/certificates.ts';
import { freePorts } from '../support/free-port.ts';
import { type BrokerKind, scratch, startBroker } from '../support/mosquitto.ts';
import { finishBuilt } from '../support/process.ts';
import { BASICS } from './library-basics.ts';
import { FIVE } from './library-five.ts';
import { type Custom, type LibraryScenario, type Places, Stage } from './library-stage.ts';
import type { Level, Maker, Place } from './player.ts';

const SCENARIOS: readonly LibraryScenario[] = [...BASICS, ...FIVE];

/** Milliseconds for all scenarios of a version; waiting for what never comes must not hold up the rest for long. */
const PATIENCE_MS = 20_000;

/** mosquitto 2.0.11 does not say why it closes the connection of a client that is taken over. */
const BREAKS: Readonly<Record<BrokerKind, readonly Custom[]>> = {
  mosquitto: ['the reason of a take-over'],
  'mqtt-broker': [],
};

/** Starts a broker with the listeners that the scenarios need. */
export async function startPlaces(context: TestContext, kind: BrokerKind): Promise<Places> {
  const folder = scratch(context);
  const at = (name: string): string => path.join(folder, name);
  const ports = await freePorts(4);
  const [plain = 0, guarded = 0, ws = 0, tls = 0] = ports;
  const authority = makeCertificate({ subject: 'authority of these tests', isAuthority: true });
  const server = makeCertificate({ subject: 'localhost', issuer: authority, altNames: ['localhost', '127.0.0.1'] });
  writeFileSync(at('ca'), authority.cert);
  writeFileSync(at('cert'), server.cert);
  writeFileSync(at('key'), server.key);
  writeFileSync(at('rules'), 'user tom\ntopic readwrite #\ntopic deny forbidden/#\n');
  await finishBuilt('mqtt-passwd', ['-H', 'sha512-pbkdf2', '-b', '-c', at('passwords'), 'tom', 'secret']);
  await startBroker(context, kind, [
    'per_listener_settings true',
    `listener ${plain}`,
    'allow_anonymous true',
    `listener ${guarded}`,
    `password_file ${at('passwords')}`,
    `acl_file ${at('rules')}`,
    `listener ${ws}`,
    'protocol websockets',
    'allow_anonymous true',
    `listener ${tls}`,
    `certfile ${at('cert')}`,
    `keyfile ${at('key')}`,
    'allow_anonymous true',
  ]);
  const place = (port: number, where: Place['kind'] = 'tcp'): Place => ({ kind: where, port, ca: at('ca') });
  return {
    breaks: BREAKS[kind],
    plain: place(plain),
    guarded: place(guarded),
    ws: place(ws, 'ws'),
    tls: place(tls, 'tls'),
  };
}

/** What a pair of library and broker leaves out, and why. */
export type Exceptions = Readonly<Record<string, string>>;

/** Plays all scenarios of one version at the same time; what the library lacks is left out. */
export async function playAll(
  context: TestContext,
  maker: Maker,
  level: Level,
  places: Places,
  exceptions: Exceptions = {},
): Promise<void> {
  const chosen = SCENARIOS.filter(
    ({ name, levels, needs = [] }) =>
      (levels === undefined || levels.includes(level)) &&
      !needs.some((need) => maker.lacks.includes(need)) &&
      exceptions[name] === undefined,
  );
  await Promise.all(
    chosen.map(({ name, play }, i) =>
      context.test(name, { timeout: PATIENCE_MS }, (inner) =>
        play(new Stage(inner, maker, level, places, `v${level}s${i}`)),
      ),
    ),
  );
}

/** Declares the tests of a library with a kind of broker. */
export function playLibrary(
  name: string,
  makeMaker: () => Maker,
  kind: BrokerKind,
  levels: readonly Level[],
  skip: string | false,
  exceptions: Exceptions = {},
): void {
  test(`${name} with ${kind}`, { skip, concurrency: true }, async (context) => {
    const maker = makeMaker();
    context.after(() => maker.close());
    const places = await startPlaces(context, kind);
    await Promise.all(
      levels.map((level) =>
        context.test(`protocol level ${level}`, { concurrency: true }, (inner) =>
          playAll(inner, maker, level, places, exceptions),
        ),
      ),
    );
  });
}
