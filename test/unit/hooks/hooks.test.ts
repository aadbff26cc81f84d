import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HookSet } from '../../../src/broker/hooks/hooks.ts';
import {
  ALLOW,
  DEFER,
  DENY,
  type Decision,
  type HookMessage,
  type Plugin,
  READ,
  WRITE,
} from '../../../src/broker/hooks/points.ts';
import { authRequest, hookClient } from '../../support/hook-client.ts';

const client = hookClient('c');

/** A set and what its plugins did wrong, as 'plugin point message'. */
function hookSet(...plugins: Plugin[]): { hooks: HookSet; errors: string[] } {
  const errors: string[] = [];
  const hooks = new HookSet(plugins, (plugin, point, error) => {
    errors.push(`${plugin} ${point} ${error instanceof Error ? error.message : String(error)}`);
  });
  return { hooks, errors };
}

const decider = (name: string, answer: () => Decision | Promise<Decision>): Plugin => ({
  name,
  authenticate: answer,
  authorize: answer,
});

const fails = (): never => {
  throw new Error('broken');
};

test('with no plugin everything is allowed and nothing needs to be asked', () => {
  const { hooks } = hookSet();
  assert.equal(hooks.authenticate(authRequest(null, null)), ALLOW);
  assert.equal(hooks.authorize(client, READ, 'a'), ALLOW);
  assert.deepEqual([hooks.hasAuthorize, hooks.hasAuthStep, hooks.hasMessageIn], [false, false, false]);
  assert.equal(hooks.authStep(client, 'X', null, true), null);
});

const rows: { answers: Decision[]; result: Decision }[] = [
  { answers: [ALLOW, DENY], result: ALLOW },
  { answers: [DENY, ALLOW], result: DENY },
  { answers: [DEFER, ALLOW], result: ALLOW },
  { answers: [DEFER, DENY, ALLOW], result: DENY },
  { answers: [DEFER, DEFER], result: DENY },
];
for (const { answers, result } of rows) {
  test(`deciders that answer ${answers.join(', ')} make ${result}, at once and late`, async () => {
    const atOnce = hookSet(...answers.map((answer, i) => decider(`p${i}`, () => answer))).hooks;
    assert.equal(atOnce.authorize(client, WRITE, 'a'), result);
    assert.equal(atOnce.authenticate(authRequest(null, null)), result);
    const late = hookSet(...answers.map((answer, i) => decider(`p${i}`, async () => answer))).hooks;
    const promise = late.authorize(client, WRITE, 'a');
    assert.ok(promise instanceof Promise);
    assert.equal(await promise, result);
    assert.equal(await late.authenticate(authRequest(null, null)), result);
    const mixed = hookSet(
      ...answers.map((answer, i) => decider(`p${i}`, () => (i === 0 ? Promise.resolve(answer) : answer))),
    );
    assert.equal(await mixed.hooks.authorize(client, WRITE, 'a'), result);
  });
}

test('a decider that throws, rejects or answers nonsense denies and is reported', async () => {
  const after = decider('after', () => ALLOW);
  const throwing = hookSet(decider('bad', fails), after);
  assert.equal(throwing.hooks.authorize(client, READ, 'a'), DENY);
  assert.deepEqual(throwing.errors, ['bad authorize broken']);
  const rejecting = hookSet(
    decider('bad', () => Promise.reject(new Error('late'))),
    after,
  );
  assert.equal(await rejecting.hooks.authenticate(authRequest('u', 'p')), DENY);
  assert.deepEqual(rejecting.errors, ['bad authenticate late']);
  for (const nonsense of [true, undefined, 3, 'ALLOW']) {
    const odd = hookSet(
      decider('bad', () => nonsense as Decision),
      after,
    );
    assert.equal(odd.hooks.authorize(client, READ, 'a'), DENY);
    assert.deepEqual(odd.errors, [`bad authorize the answer ${nonsense} is not ALLOW, DENY or DEFER`]);
  }
});

test('deciders are given what is asked and keep their this', () => {
  const seen: unknown[] = [];
  const plugin: Plugin & { answer: Decision } = {
    name: 'p',
    answer: ALLOW,
    authorize(...args) {
      seen.push(...args);
      return this.answer;
    },
  };
  assert.equal(hookSet(plugin).hooks.authorize(client, WRITE, 'a/b'), ALLOW);
  assert.deepEqual(seen, [client, WRITE, 'a/b']);
});

test('answers about topics are cacheable unless an authorizing plugin says no', () => {
  const plain = decider('plain', () => ALLOW);
  assert.equal(hookSet(plain).hooks.authorizeIsCacheable, true);
  assert.equal(hookSet(plain, { ...plain, cacheable: false }).hooks.authorizeIsCacheable, false);
  assert.equal(hookSet(plain, { name: 'x', cacheable: false, connected() {} }).hooks.authorizeIsCacheable, true);
});

test('transformers work on what the one before made, and may drop', () => {
  const suffix = (text: string): Plugin => ({
    name: text,
    messageIn: (_client, message) => ({ ...message, topic: message.topic + text }),
  });
  const message: HookMessage = { topic: 't', payload: Buffer.from('x'), qos: 1, retain: false };
  const both = hookSet(suffix('/a'), suffix('/b')).hooks;
  assert.equal(both.hasMessageIn, true);
  assert.equal(both.messageIn(client, message)?.topic, 't/a/b');
  const dropped = hookSet({ name: 'drop', messageIn: () => null }, { name: 'never', messageIn: fails });
  assert.equal(dropped.hooks.messageIn(client, message), null);
  assert.deepEqual(dropped.errors, []);
});

test('what a transformer could not look at does not get past it', () => {
  const message: HookMessage = { topic: 't', payload: Buffer.alloc(0), qos: 0, retain: false };
  const throwing = hookSet({ name: 'bad', messageIn: fails });
  assert.equal(throwing.hooks.messageIn(client, message), null);
  assert.deepEqual(throwing.errors, ['bad messageIn broken']);
  const silent = hookSet({ name: 'bad', messageIn: () => undefined as unknown as null });
  assert.equal(silent.hooks.messageIn(client, message), null);
  assert.equal(silent.errors.length, 1);
});

test('notifiers are all told; what they throw or reject is reported and goes no further', async () => {
  const told: string[] = [];
  const good: Plugin = {
    name: 'good',
    connected: (c) => void told.push(`connected ${c.clientId}`),
    disconnected: (c, code) => void told.push(`disconnected ${c.clientId} ${code}`),
    subscribed: (c, filter, qos) => void told.push(`subscribed ${c.clientId} ${filter} ${qos}`),
    unsubscribed: (c, filter) => void told.push(`unsubscribed ${c.clientId} ${filter}`),
  };
  const late = async (): Promise<void> => {
    throw new Error('late');
  };
  const bad: Plugin = { name: 'bad', connected: fails, disconnected: late, subscribed: fails, unsubscribed: fails };
  const { hooks, errors } = hookSet(bad, good);
  hooks.connected(client);
  hooks.disconnected(client, 4);
  hooks.subscribed(client, 'a/#', 2);
  hooks.unsubscribed(client, 'a/#');
  await nextTurn();
  assert.deepEqual(told, ['connected c', 'disconnected c 4', 'subscribed c a/# 2', 'unsubscribed c a/#']);
  assert.deepEqual(errors.sort(), [
    'bad connected broken',
    'bad disconnected late',
    'bad subscribed broken',
    'bad unsubscribed broken',
  ]);
});

test('the first plugin that knows a method takes the step; one that throws refuses', async () => {
  const knows: Plugin = {
    name: 'x',
    authStep: (_client, method, data) => (method === 'X' ? { decision: DEFER, data } : null),
  };
  const asks: Plugin = {
    name: 'y',
    authStep: (_client, method) =>
      method === 'Y' ? Promise.resolve({ decision: ALLOW, data: null, username: 'tom' }) : null,
  };
  const bad: Plugin = {
    name: 'z',
    authStep: (_client, method) => (method === 'Z' ? fails() : Promise.reject(new Error('late'))),
  };
  const { hooks, errors } = hookSet(knows, asks, bad);
  assert.equal(hooks.hasAuthStep, true);
  assert.deepEqual(hooks.authStep(client, 'X', Buffer.from('1'), true), { decision: DEFER, data: Buffer.from('1') });
  assert.deepEqual(await hooks.authStep(client, 'Y', null, true), { decision: ALLOW, data: null, username: 'tom' });
  assert.deepEqual(hooks.authStep(client, 'Z', null, true), { decision: DENY, data: null });
  assert.deepEqual(await hooks.authStep(client, 'other', null, true), { decision: DENY, data: null });
  assert.deepEqual(errors, ['z authStep broken', 'z authStep late']);
});

test('a reload reaches every plugin, tells of those that failed, and counts from its commit on', () => {
  const done: string[] = [];
  const { hooks, errors } = hookSet(
    { name: 'a', reload: fails },
    { name: 'b' },
    { name: 'c', reload: () => void done.push('c'), close: () => void done.push('closed') },
    { name: 'd', reload: () => () => done.push('d') },
    { name: 'e', reload: () => fails },
  );
  const { failures, commit } = hooks.prepareReload();
  assert.deepEqual(failures, [{ plugin: 'a', sentence: 'broken' }]);
  assert.equal(hooks.generation, 0);
  assert.deepEqual(done, ['c']);
  commit();
  assert.equal(hooks.generation, 1);
  assert.deepEqual(done, ['c', 'd']);
  assert.deepEqual(errors, ['e reload broken']);
});

test('closing reaches every plugin even when one fails', () => {
  const done: string[] = [];
  const { hooks, errors } = hookSet({ name: 'a', close: fails }, { name: 'b', close: () => void done.push('b') });
  hooks.close();
  assert.deepEqual(done, ['b']);
  assert.deepEqual(errors, ['a close broken']);
});

test('an answer of the wrong kind drops the message or refuses the step, and is reported', async () => {
  const message: HookMessage = { topic: 't', payload: Buffer.alloc(0), qos: 0, retain: false };
  for (const answer of [{ ...message, payload: 'text' }, { ...message, qos: 3 }, { topic: 't' }]) {
    const { hooks, errors } = hookSet({ name: 'bad', messageIn: () => answer as unknown as HookMessage });
    assert.equal(hooks.messageIn(client, message), null);
    assert.equal(errors.length, 1);
  }
  for (const answer of [undefined, true, {}, { decision: 7, data: null }, { decision: ALLOW, data: 'text' }]) {
    for (const given of [answer, Promise.resolve(answer)]) {
      const { hooks, errors } = hookSet({ name: 'bad', authStep: () => given as unknown as null });
      assert.deepEqual(await hooks.authStep(client, 'X', null, true), { decision: DENY, data: null });
      assert.equal(errors.length, 1);
    }
  }
});
