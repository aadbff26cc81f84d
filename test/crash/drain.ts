// The look at everything: all publishers finish, all sessions give out what they hold, and the ledger says what is missing.
import type { Actor } from './actor.ts';
import { GROUPS, inbox } from './cast.ts';
import { LEAST_LENGTH, type Message } from './message.ts';
import { probeRetained } from './probe.ts';
import type { Stage } from './stage.ts';

/** Milliseconds for a step of a drain, and for stragglers once a session has shown its end. */
const STEP_LIMIT_MS = 15_000;
const ASK_AGAIN_MS = 200;
const STRAGGLERS_MS = 1500;

/** Which drain it is, and from which message on the share groups are looked at. */
export interface DrainState {
  number: number;
  sharedFrom: number;
}

/** Drains the sessions of those who take part. False when it could not be carried through; faults say why. */
export async function drain(stage: Stage, state: DrainState): Promise<boolean> {
  const { ledger, cast } = stage;
  state.number += 1;
  const sessions = cast.actors.filter((actor) => isReceiver(actor) && actor.drains(state.number));
  const step = async (what: string, isDone: () => boolean, told: () => string[]): Promise<boolean> => {
    const limit = ledger.patience(STEP_LIMIT_MS);
    if (await ledger.waiting.until(() => isDone() || !stage.isUp, limit)) {
      if (stage.isUp) return true;
    }
    ledger.fault('stuck', `drain: ${what} took longer than ${limit} ms`, [...told(), ...stage.said()]);
    return false;
  };

  const coming = Promise.all(sessions.map((actor) => stage.bring(actor)));
  const allIn = (): boolean => sessions.every(({ player }) => player.isJoined);
  const absent = (): string[] => sessions.flatMap(({ player }) => (player.isJoined ? [] : player.history));
  if (!(await step('connecting', allIn, absent))) return false;
  await coming;
  const players = sessions.map(({ player }) => player);
  const everybody = cast.actors.map(({ player }) => player);
  for (const player of everybody) {
    player.incoming.holds = 0;
    player.incoming.catchUp();
    player.requests.settle();
  }
  const isQuiet = (): boolean => everybody.every(({ outgoing, isJoined }) => !isJoined || outgoing.length === 0);
  const inFlight = (): string[] => everybody.flatMap(({ id, outgoing }) => [`${id}:`, ...outgoing.told()]);
  if (!(await step('the last acknowledgements to publishers', isQuiet, inFlight))) return false;
  const isSettled = (): boolean => players.every(({ requests }) => requests.isSettled);
  const unsettled = (): string[] => players.flatMap(({ requests, history }) => (requests.isSettled ? [] : history));
  // What was refused, for the disk was full a moment ago, is asked for again.
  const asking = setInterval(() => {
    for (const { requests } of players) if (requests.isIdle) requests.settle();
  }, ASK_AGAIN_MS);
  const areSettled = await step('the last SUBACKs and UNSUBACKs', isSettled, unsettled);
  clearInterval(asking);
  if (!areSettled) return false;

  // Each session ends with a message of its own, which comes behind everything that it holds.
  const marks = sessions.map((actor) => ({ actor, mark: publishMark(stage, actor) }));
  const isMarked = ({ actor, mark }: (typeof marks)[number]): boolean =>
    actor.player.session?.got.has(mark.serial) === true;
  const unmarked = (): string[] =>
    marks.filter((one) => !isMarked(one)).flatMap(({ actor, mark }) => [...mark.history, ...actor.player.history]);
  await step('giving out what sessions hold', () => marks.every(isMarked), unmarked);

  const isComplete = (): boolean =>
    players.every(({ session }) => session!.missing().length === 0) &&
    ledger.wills.missing().length === 0 &&
    sharedMissing(stage, state).length === 0;
  await ledger.waiting.until(isComplete, ledger.patience(STRAGGLERS_MS));
  report(stage, sessions, state);

  // What came is told to the broker, and the broker has it on disk: none of it may come again.
  for (const player of everybody) {
    player.incoming.catchUp();
    player.requests.ping();
  }
  const isIdle = (): boolean => everybody.every(({ requests }) => requests.isIdle);
  if (!(await step('the last pings', isIdle, () => []))) return false;
  publishMark(stage, cast.conductor);
  if (!(await step('the last mark', () => cast.conductor.player.outgoing.length === 0, inFlight))) return false;
  for (const { player } of sessions) if (player.session !== null && player.isJoined) player.session.settle();
  ledger.wills.settle();
  state.sharedFrom = ledger.messages.length;
  await probeRetained(stage);
  return stage.isUp;
}

/** Whether the session gets a mark. */
const isReceiver = ({ player }: Actor): boolean => player.requests.wanted.has(inbox(player.id));

function publishMark(stage: Stage, actor: Actor): Message {
  const { ledger, cast } = stage;
  const mark = ledger.message({
    publisher: cast.conductor.player.id,
    topic: inbox(actor.player.id),
    qos: 2,
    retain: false,
    length: LEAST_LENGTH,
    expiry: null,
    isWill: false,
  });
  cast.conductor.player.publish(mark);
  return mark;
}

/** Messages that were acknowledged and reached no member of a share group. */
function sharedMissing({ ledger }: Stage, state: DrainState): Message[] {
  return ledger.messages.slice(state.sharedFrom).filter((message) => {
    const { plan, ackedAt, sharedTo, firstSentMs } = message;
    if (ackedAt === 0 || message.expiresMs(firstSentMs) - 2500 < Date.now()) return false;
    return GROUPS.some(({ group, topic }) => topic === plan.topic && !sharedTo.has(group));
  });
}

function report(stage: Stage, sessions: readonly Actor[], state: DrainState): void {
  const { ledger } = stage;
  for (const { player } of sessions) {
    const { session } = player;
    if (session === null) continue;
    for (const message of session.missing()) {
      const text = `${message.describe()} was acknowledged and did not reach ${player.id}`;
      ledger.fault('lost', text, session.told(message));
    }
  }
  for (const message of sharedMissing(stage, state)) {
    ledger.fault('lost', `${message.describe()} was acknowledged and reached no member of its group`, message.history);
  }
}
