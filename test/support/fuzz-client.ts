// One episode of a client under a hostile broker, decided by a seed: whatever comes, the client must not throw outside its
// promises and events, must end or go on, must keep the rules itself and must leave nothing behind.
import process from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { connectVia } from '../../src/client/client.ts';
import { ConnectionLost, ConnectRefused, InvalidRequest, PeerFault } from '../../src/client/index.ts';
import type { Authentication, Client, ClientOptions } from '../../src/client/options.ts';
import { memoryPair } from '../../src/net/memory.ts';
import type { Dialer, Transport, TransportSink } from '../../src/net/transport.ts';
import { encode } from '../../src/protocol/encode.ts';
import { MQTT5, MQTT31, MQTT311 } from '../../src/protocol/version.ts';
import { BrokerSide, NOWHERE } from '../unit/client/scripted-broker.ts';
import { Dice } from './fuzz-dice.ts';
import { hostileWords, type Said, soundAnswer, soundConnack, Watch } from './hostile-broker.ts';

const METHOD = 'M';
/** Connections after which no more can be made. */
const MOST_CONNECTIONS = 4;
/** Milliseconds for a client to end once its broker is gone. */
const PATIENCE_MS = 5_000;
const PROFILES = { '3.1': MQTT31, '3.1.1': MQTT311, '5': MQTT5 } as const;

/** The dialer of an episode gives up with this. */
class NoMoreConnections extends Error {}

const isExpected = (error: unknown): boolean =>
  error instanceof PeerFault ||
  error instanceof ConnectionLost ||
  error instanceof ConnectRefused ||
  error instanceof InvalidRequest ||
  error instanceof NoMoreConnections;

function authenticationOf(dice: Dice): Authentication {
  return {
    method: METHOD,
    data: Buffer.from('first'),
    step: () => {
      switch (dice.below(5)) {
        case 0:
          throw new Error('a step that throws');
        case 1:
          return Promise.reject(new Error('a step that rejects'));
        case 2:
          return turn(Buffer.from('later'));
        case 3:
          return null;
        default:
          return Buffer.from('at once');
      }
    },
  };
}

function optionsOf(version: keyof typeof PROFILES, dice: Dice): ClientOptions {
  const isNew = version === '5';
  const limits = [{}, { receiveMaximum: 1 }, { receiveMaximum: 3, topicAliasMaximum: 2 }, { maximumPacketSize: 60 }];
  const properties = {
    ...dice.pick(limits),
    ...(dice.chance(0.2) ? { requestProblemInformation: 0 } : {}),
    ...(dice.chance(0.5) ? { sessionExpiryInterval: 100 } : {}),
  };
  const saved = {
    id: 2,
    isReleased: false,
    topic: 't',
    payload: 'eA==',
    qos: 2,
    retain: false,
    properties: {},
  } as const;
  const session = {
    clientId: 'fuzzed',
    lastPacketId: 3,
    outgoing: [saved, { ...saved, id: 3, isReleased: true, payload: '' }, { ...saved, id: 0 }],
    received: [1, 4],
  };
  return {
    ...NOWHERE,
    version,
    clientId: 'fuzzed',
    cleanStart: false,
    keepAlive: dice.pick([0, 60]),
    maxInflight: dice.pick([1, 3, 20]),
    connectTimeoutMs: 20_000,
    checkPayloadFormat: dice.chance(0.3),
    topicAliases: isNew ? dice.pick([0, 2]) : 0,
    reconnect: dice.chance(0.4) ? { minDelayMs: 0, maxDelayMs: 1 } : null,
    ...(isNew ? { properties } : {}),
    ...(isNew && dice.chance(0.3) ? { authentication: authenticationOf(dice) } : {}),
    ...(dice.chance(0.3) ? { session } : dice.chance(0.3) ? { cleanStart: true } : {}),
  };
}

/** A transport that catches what its receiver throws. */
function guarded(transport: Transport, caught: (error: unknown) => void): Transport {
  const safely = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      caught(error);
    }
  };
  const guard = (sink: TransportSink): TransportSink => ({
    receive: (chunk) => safely(() => sink.receive(chunk)),
    writable: () => safely(() => sink.writable()),
    closed: (error) => safely(() => sink.closed(error)),
  });
  return {
    info: transport.info,
    get backlog() {
      return transport.backlog;
    },
    attach: (sink) => transport.attach(guard(sink)),
    write: (bytes) => transport.write(bytes),
    cork: () => transport.cork(),
    uncork: () => transport.uncork(),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    end: () => transport.end(),
    destroy: (error) => transport.destroy(error),
  };
}

/** An episode: the two sides, and what became of them. */
class Episode implements Dialer {
  readonly story: string[] = [];
  private readonly dice: Dice;
  private readonly version: keyof typeof PROFILES;
  private connections = 0;
  private readonly faults: string[] = [];
  private readonly playing: Promise<void>[] = [];
  private readonly sides: BrokerSide[] = [];
  private hasMethod = false;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.version = this.dice.pick(['3.1', '3.1.1', '5', '5', '5']);
  }

  dial(): Promise<Transport> {
    if (this.connections === MOST_CONNECTIONS) return Promise.reject(new NoMoreConnections('no more connections'));
    this.connections += 1;
    const { dice } = this;
    const [near, far] = memoryPair({
      random: () => dice.next(),
      refuse: dice.pick([0, 0.3]),
      ...(dice.chance(0.5) ? { longestChunk: dice.pick([1, 7, 60]) } : {}),
    });
    const side = new BrokerSide(guarded(far, (error) => this.fault(`the broker can't read the client: ${error}`)));
    this.sides.push(side);
    this.playing.push(this.play(side));
    return Promise.resolve(guarded(near, (error) => this.fault(`the client throws: ${(error as Error).stack}`)));
  }

  /** @throws Error with the story of a violation */
  async run(): Promise<void> {
    const timers = activeTimers();
    const options = optionsOf(this.version, this.dice);
    this.hasMethod = options.authentication !== undefined;
    this.story.push(`${this.version} ${JSON.stringify({ ...options, endpoint: undefined })}`);
    let client: Client | null = null;
    try {
      client = await this.inTime('connect() settles', connectVia(options, this));
    } catch (error) {
      if (!isExpected(error)) this.fault(`connect() rejects with ${error}`);
    }
    if (client !== null) await this.use(client);
    // A client that gave up dialling leaves the broker's script without a reader.
    for (const side of this.sides) side.transport.destroy();
    await this.inTime('the broker is done', Promise.all(this.playing));
    for (let i = 0; i < 5; i++) await turn();
    if (activeTimers() > timers) this.fault(`${activeTimers() - timers} timers are left`);
    if (this.faults.length > 0) throw new Error([...this.faults, ...this.story].join('\n'));
  }

  private async use(client: Client): Promise<void> {
    const { dice } = this;
    const closed = new Promise<Error | null>((resolve) => client.on('close', resolve));
    const calls: Promise<unknown>[] = [];
    client.on('message', () => {
      if (dice.chance(0.05)) client.pause();
      if (dice.chance(0.02)) void client.end();
    });
    for (let i = 0; i < 25; i++) {
      calls.push(this.call(client));
      if (dice.chance(0.5)) await turn();
    }
    client.resume();
    await this.inTime('the broker is done', Promise.all(this.playing));
    for (const side of this.sides) side.transport.destroy();
    calls.push(client.end());
    const error = await this.inTime('the client closes', closed);
    if (error !== null && !isExpected(error)) this.fault(`'close' tells ${error}`);
    for (const result of await this.inTime('every call settles', Promise.allSettled(calls))) {
      if (result.status === 'rejected' && !isExpected(result.reason))
        this.fault(`a call rejects with ${result.reason}`);
    }
    JSON.stringify(client.session());
  }

  private call(client: Client): Promise<unknown> {
    const { dice } = this;
    switch (dice.below(10)) {
      case 0:
        return client.subscribe(dice.pick(['a', 'a/#', '$share/g/a', 'x'.repeat(300)]));
      case 1:
        return client.unsubscribe(['a', 'b']);
      case 2:
        client.pause();
        return turn();
      case 3:
        client.resume();
        return turn();
      case 4:
        return client.reauthenticate();
      case 5:
        return client.drained(dice.below(3));
      case 6:
        return client.messages()[Symbol.asyncIterator]().next();
      default: {
        const payload = 'x'.repeat(dice.pick([0, 5, 100, 20_000]));
        const qos = dice.pick([0, 1, 2] as const);
        const properties = dice.chance(0.1) ? { topicAlias: 1 } : {};
        return client.publish(dice.pick(['t', 'u/v']), payload, { qos, retain: dice.chance(0.2), properties });
      }
    }
  }

  /** The broker's part on one connection: mostly a sound beginning, then anything. */
  private async play(side: BrokerSide): Promise<void> {
    const { dice } = this;
    const watch = new Watch();
    let looked = 0;
    const look = (): void => {
      for (; looked < side.seen.length; looked++) {
        const packet = side.seen[looked]!;
        const bytes = side.bytes[looked]!;
        this.story.push(`< ${bytes.toString('hex', 0, 40)}`);
        const rule = watch.saw(packet, bytes.length);
        if (rule !== null) this.fault(`the client breaks a rule: ${rule}`);
        const answer = dice.chance(0.6) ? soundAnswer(packet) : null;
        if (answer !== null) say({ bytes: encode(side.profile, answer), packet: answer });
      }
    };
    const say = (said: Said): void => {
      this.story.push(`> ${said.bytes.toString('hex', 0, 40)}`);
      watch.said(said);
      side.transport.write(Buffer.from(said.bytes));
    };
    await Promise.race([side.until(() => side.seen.length > 0).catch(() => undefined), side.closed()]);
    look();
    const profile = PROFILES[this.version];
    if (dice.chance(0.85)) {
      const connack = soundConnack(profile, dice, this.hasMethod ? METHOD : undefined);
      say({ bytes: encode(profile, connack), packet: connack });
    }
    const rounds = dice.below(20);
    for (let i = 0; i < rounds && !side.isClosed; i++) {
      if (dice.chance(0.7)) say(hostileWords(profile, dice));
      await turn();
      look();
    }
    for (let i = 0; i < 3; i++) await turn();
    look();
    if (dice.chance(0.5)) side.transport.end();
    else side.transport.destroy();
  }

  private fault(what: string): void {
    this.faults.push(what);
  }

  private async inTime<T>(what: string, promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const tell = (): void => reject(new Error([`too late: ${what}`, ...this.faults, ...this.story].join('\n')));
      timer = setTimeout(tell, PATIENCE_MS);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/**
 * Plays one bounded random episode; no other may run in the process meanwhile, for its timers are counted.
 * @throws Error with the story of a violation
 */
export async function fuzzClient(seed: number): Promise<void> {
  try {
    await new Episode(seed).run();
  } catch (error) {
    throw new Error(`episode ${seed}: ${(error as Error).message}`, { cause: error });
  }
}
