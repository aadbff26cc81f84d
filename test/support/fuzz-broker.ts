// A broker among enemies: several clients misbehave at once, some keep the rules, and two witnesses must notice nothing.
import assert from 'node:assert/strict';
import { ALLOW, DEFER, type Plugin } from '../../src/broker/hooks/points.ts';
import { PROFILES } from '../../src/protocol/version.ts';
import { type ArenaOptions, FuzzArena } from './fuzz-arena.ts';
import { Attacker, drawWildConnect } from './fuzz-attacker.ts';
import { Dice } from './fuzz-dice.ts';
import { FuzzPeer } from './fuzz-peer.ts';
import { openPipe, type PipeKind } from './fuzz-pipe.ts';
import { Witnesses } from './fuzz-witness.ts';
import { pluginNamed, slowed } from './wire-plugins.ts';

const STEPS = 60;

/** Counts who came and who went. */
class Register {
  present = 0;
  readonly plugin: Plugin = {
    name: 'register',
    connected: () => {
      this.present += 1;
    },
    disconnected: () => {
      this.present -= 1;
    },
  };
}

function drawOptions(dice: Dice, register: Register): ArenaOptions {
  const doorman: Plugin = { ...pluginNamed('doorman'), authorize: () => DEFER };
  const open: Plugin = { name: 'open', authenticate: () => ALLOW, authorize: () => ALLOW };
  const plugins = [
    doorman,
    pluginNamed('riddle'),
    pluginNamed('editor'),
    ...(dice.chance(0.5) ? [pluginNamed('rights')] : []),
    open,
  ];
  return {
    global: {
      maxInflightMessages: dice.pick([1, 3, 20, 0]),
      maxQueuedMessages: dice.pick([5, 60, 1000]),
      maxQueuedBytes: dice.pick([0, 0, 50_000]),
      queueQos0Messages: dice.chance(0.3),
      allowDuplicateMessages: dice.chance(0.5),
      retainAvailable: dice.chance(0.8),
      maxPacketSize: dice.pick([30_000, 2_000_000]),
      allowWildcardSubscriptions: dice.chance(0.9),
      allowSharedSubscriptions: dice.chance(0.9),
      checkPayloadFormat: dice.chance(0.3),
      maxTopicsPerSubscribe: dice.pick([2, 1000]),
      ...(dice.chance(0.3) ? { memoryLimit: 2_000_000 } : {}),
      logDest: [{ to: 'file', path: '/dev/null' }],
    },
    listener: dice.chance(0.15) ? { mountPoint: 'mounted/on/' } : {},
    plugins: [
      register.plugin,
      ...(dice.chance(0.4) ? plugins.map(slowed) : dice.chance(0.5) ? plugins : [pluginNamed('riddle')]),
    ],
    verbosity: dice.chance(0.3) ? 'all' : 'none',
  };
}

/** A client that keeps the rules and holds the broker to them, but is predicted by nobody. */
function makeCitizen(dice: Dice, arena: FuzzArena, kind: PipeKind): FuzzPeer {
  const connect = { ...drawWildConnect(dice, dice.pick(PROFILES)), bridge: false, clientId: dice.pick(['y1', 'y2']) };
  const { authenticationMethod: _, authenticationData: __, ...properties } = connect.properties;
  const peer = new FuzzPeer(openPipe(kind, arena.doors, dice), { ...connect, properties });
  peer.holds = dice.pick(['nothing', 'acks', 'completions']);
  const subscriptions = ['#', 'flood'].map((filter) => ({
    filter,
    qos: dice.below(3),
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  }));
  peer.send({ type: 8, id: 1, subscriptions, properties: {} });
  return peer;
}

/** A citizen reads slowly, or goes without a word. */
function wink(dice: Dice, { pipe }: FuzzPeer): void {
  const kind = dice.below(5);
  if (kind < 2) pipe.pause();
  else if (kind < 4) pipe.resume();
  else pipe.reset();
}

/** One episode with a broker of its own. */
export async function fuzzBroker(seed: number): Promise<void> {
  const dice = new Dice(seed);
  const register = new Register();
  const arena = await FuzzArena.open(drawOptions(dice, register));
  const kinds: readonly PipeKind[] = dice.chance(0.25) ? ['memory', 'tcp', 'ws', 'http'] : ['memory'];
  const sockets = kinds.filter((kind) => kind !== 'http');
  const wait = (holds: () => boolean, what: () => string) => arena.until(holds, what, 20);
  const attackers = Array.from(
    { length: dice.between(2, 5) },
    () => new Attacker(dice, () => openPipe(dice.pick(kinds), arena.doors, dice)),
  );
  const citizens: FuzzPeer[] = [];
  try {
    const witnesses = new Witnesses(dice, () => openPipe(dice.pick(sockets), arena.doors, dice), wait);
    await witnesses.join();
    for (let step = 0; step < STEPS; step++) {
      dice.pick(attackers).act();
      if (dice.chance(0.05)) citizens.push(makeCitizen(dice, arena, dice.pick(sockets)));
      if (dice.chance(0.15) && citizens.length > 0) wink(dice, dice.pick(citizens));
      if (dice.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
      if (dice.chance(0.04)) await arena.clock.advance(dice.pick([100, 1000, 4000]));
      if (dice.chance(0.1)) await witnesses.exchange();
      arena.checkTroubles();
    }
    await witnesses.exchange();
    witnesses.leave();
    for (const citizen of citizens) assert.deepEqual(citizen.faults, []);
    for (const attacker of attackers) attacker.destroy();
    for (const { pipe } of citizens) pipe.reset();
    await arena.checkBaseline();
    assert.equal(register.present, 0, 'clients that came and did not go');
  } finally {
    for (const attacker of attackers) attacker.destroy();
    await arena.close();
  }
}
