// What a log amounts to, where its records come in an unusual order or some of them are missing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beginMessage,
  CLEARED,
  DONE,
  ENTRIES,
  RELEASED,
  RELEASES,
  SENT,
  SESSION_END,
  type SessionFacts,
  STATES,
  UNSUBSCRIBE,
  WAITS,
  writeEntry,
  writeInbound,
  writeSession,
  writeSubscription,
} from '../../../src/broker/store/records.ts';
import { endOf, GroupWriter, HEAD_LENGTH, stretchesOf, typeOf } from '../../../src/broker/store/segment.ts';
import { asRead, StoreState } from '../../../src/broker/store/state.ts';
import { WorldMessage } from '../../support/store-world.ts';

const NO_BYTES = Buffer.alloc(0);
const NO_LOSS = { sessions: 0, subscriptions: 0, entries: 0, records: 0 };

const facts = (clientId: string): SessionFacts => ({
  clientId,
  username: null,
  listener: '1',
  mountPoint: null,
  expiryInterval: 60,
  awaySince: 0,
  will: null,
});

type Write = (to: GroupWriter) => void;

const session = (number: number, clientId = `c${number}`): Write => {
  return (to) => writeSession(to, number, facts(clientId));
};
const ended = (number: number): Write => {
  return (to) => {
    to.begin(SESSION_END);
    to.u32(number);
  };
};
const subscribed = (number: number, name: string, qos = 1): Write => {
  const rest = { filter: name, noLocal: false, retainAsPublished: false, identifier: 0, isReplaying: false };
  return (to) => writeSubscription(to, number, { name, qos, ...rest });
};
const unsubscribed = (number: number, name: string): Write => {
  return (to) => {
    to.begin(UNSUBSCRIBE);
    to.u32(number);
    to.text(name);
  };
};
/** A message `m<number>` on topic `t<number>`, with waiting entries of sessions and sequence numbers. */
const message = (number: number, isKept: boolean, ...entries: readonly (readonly [number, number])[]): Write => {
  const payload = Buffer.from(`m${number}`);
  const made = new WorldMessage({
    topic: `t${number}`,
    routedAs: `t${number}`,
    qos: 1,
    retain: isKept,
    properties: NO_BYTES,
    expiryAt: -1,
    expiresAt: 0,
    payload: { buffer: payload, start: 0, end: payload.length },
    source: null,
  });
  return (to) => {
    beginMessage(to, number, 0, made, NO_BYTES, isKept);
    for (const entry of entries) waiting(to, ...entry);
  };
};
const waiting = (to: GroupWriter, of: number, seq: number): void => {
  to.u32(of);
  to.f64(seq);
  writeEntry(to, 2, NO_BYTES, WAITS, 0, 0);
};
const entries = (number: number, ...all: readonly (readonly [number, number])[]): Write => {
  return (to) => {
    to.begin(ENTRIES);
    to.f64(number);
    for (const entry of all) waiting(to, ...entry);
  };
};
const done = (...all: readonly (readonly [number, number])[]): Write => {
  return (to) => {
    to.begin(DONE);
    for (const [of, seq] of all) {
      to.u32(of);
      to.f64(seq);
    }
  };
};
const moved = (of: number, seq: number, step: number, id: number, turn: number): Write => {
  return (to) => {
    to.begin(STATES);
    to.u32(of);
    to.f64(seq);
    to.u8(step);
    to.u16(id);
    to.f64(turn);
  };
};
const inbound = (of: number, id: number, content: number): Write => {
  return (to) => writeInbound(to, of, id, content);
};
const released = (of: number, id: number): Write => {
  return (to) => {
    to.begin(RELEASED);
    to.u32(of);
    to.u16(id);
  };
};

/** The state that records lead to; each stands in a segment of its own. */
function stateAfter(...all: readonly Write[]): StoreState {
  const state = new StoreState(asRead);
  all.forEach((write, index) => {
    const writer = new GroupWriter(1);
    write(writer);
    const bytes = Buffer.concat([Buffer.alloc(32), writer.take(1, null)]);
    for (const at of stretchesOf(bytes, 1).flatMap(({ records }) => records)) {
      state.take(typeOf(bytes, at), bytes, at + HEAD_LENGTH, endOf(bytes, at), index + 1);
    }
  });
  state.finish();
  return state;
}

const seqs = (state: StoreState, of: number): number[] =>
  state.sessions
    .get(of)!
    .entries.values()
    .map(({ seq }) => seq);

test('an entry may come before its message, for a message is written anew when it becomes the retained one', () => {
  const state = stateAfter(session(1), entries(7, [1, 3]), message(7, true));
  assert.deepEqual(seqs(state, 1), [3]);
  assert.equal(state.messages.get(7)!.topic, 't7');
  assert.deepEqual([...state.retained], [['t7', 7]]);
  assert.deepEqual(state.lost, NO_LOSS);
});

test('what tells of a session may come before the session’s own record, for that is written anew at each change', () => {
  const state = stateAfter(
    done([1, 4]),
    subscribed(1, 'a'),
    unsubscribed(1, 'b'),
    inbound(1, 9, -5),
    message(2, false, [1, 5]),
    moved(1, 5, SENT, 77, 0),
    session(1),
  );
  const read = state.sessions.get(1)!;
  assert.equal(read.facts?.clientId, 'c1');
  assert.deepEqual([...read.subscriptions.keys()], ['a']);
  assert.deepEqual([...read.inbound], [[9, -5]]);
  const [entry] = read.entries.values();
  assert.deepEqual([entry!.seq, entry!.step, entry!.id], [5, SENT, 77]);
  assert.deepEqual(state.lost, NO_LOSS);
});

test('records of a session that has ended count for nothing, before its end and after', () => {
  const before = [session(1), subscribed(1, 'a'), message(2, false, [1, 1]), inbound(1, 3, 4)];
  const state = stateAfter(...before, ended(1), done([1, 1]), released(1, 3), unsubscribed(1, 'a'));
  assert.equal(state.sessions.size, 0);
  assert.equal(state.messages.size, 0);
  assert.deepEqual(state.lost, NO_LOSS);
  assert.equal(state.lastSession, 1);
  assert.equal(state.lastMessage, 2);
});

test('the newest of several records of the same counts', () => {
  const state = stateAfter(
    session(1, 'old'),
    session(1, 'new'),
    subscribed(1, 'a', 0),
    subscribed(1, 'a', 2),
    inbound(1, 3, 4),
    inbound(1, 3, 5),
    message(2, false, [1, 1]),
    moved(1, 1, SENT, 5, 0),
    moved(1, 1, RELEASES, 5, 8),
  );
  const read = state.sessions.get(1)!;
  const [entry] = read.entries.values();
  assert.equal(read.facts?.clientId, 'new');
  assert.equal(read.subscriptions.get('a')!.qos, 2);
  assert.equal(read.inbound.get(3), 5);
  assert.deepEqual([entry!.step, entry!.id, entry!.turn], [RELEASES, 5, 8]);
});

test('what is done stays done though a state comes later', () => {
  const state = stateAfter(session(1), message(2, false, [1, 1], [1, 2]), done([1, 1]), moved(1, 1, SENT, 5, 0));
  assert.deepEqual(seqs(state, 1), [2]);
});

test('a retained message that was replaced or cleared stays only for those that are to get it', () => {
  const clear: Write = (to) => {
    to.begin(CLEARED);
    to.text('t2');
  };
  const state = stateAfter(session(1), message(2, true, [1, 1]), message(3, true), clear, done([1, 9]));
  assert.deepEqual([...state.retained], [['t3', 3]]);
  assert.deepEqual(
    state.messages.values().map(({ topic }) => topic),
    ['t2', 't3'],
  );
  assert.equal(state.sessions.get(1)!.lastSeq, 9);
});

test('what belongs to a session or a message that damage took is counted', () => {
  const state = stateAfter(
    subscribed(1, 'a'),
    subscribed(1, 'b'),
    message(2, false, [1, 1], [3, 1]),
    session(3),
    entries(4, [3, 2], [3, 3]),
    done([5, 1]),
  );
  assert.deepEqual(state.lost, { sessions: 1, subscriptions: 2, entries: 3, records: 0 });
  assert.deepEqual([...state.sessions.keys()], [3]);
  assert.deepEqual(seqs(state, 3), [1]);
  // The numbers that are spoken of are not given out again.
  assert.equal(state.lastSession, 5);
  assert.equal(state.lastMessage, 4);
});

test('a record that makes no sense costs nothing but itself', () => {
  const short: Write = (to) => {
    to.begin(STATES);
    to.u32(1);
  };
  const strange: Write = (to) => {
    to.begin(99);
    to.text('of a later version');
  };
  const state = stateAfter(session(1), short, strange, subscribed(1, 'a'));
  assert.equal(state.lost.records, 2);
  assert.equal(state.sessions.get(1)!.subscriptions.size, 1);
});

test('an entry that stands in two places is known to', () => {
  const state = stateAfter(session(1), message(2, false, [1, 1], [1, 2]), entries(2, [1, 1]));
  assert.equal(state.repeats.standsLater(1, 1, 2), true);
  assert.equal(state.repeats.standsLater(1, 2, 2), false);
  assert.equal(state.repeats.standsLater(1, 1, 3), false);
});
