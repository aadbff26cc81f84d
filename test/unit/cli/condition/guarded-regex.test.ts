import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Script } from 'node:vm';
import { guarded } from '../../../../src/cli/condition/guarded-regex.ts';

it('regular expressions match as ever', () => {
  const texts = ['', 'on', 'ON', 'aab', 'a'.repeat(10_000), 'x*y', 'line\nline'];
  for (const regex of [/on/, /on/i, /^a+b$/, /^(a|b)+$/, /[*+]/, /\*/, /a{3}/, /(?=a)a*a*$/, /^line$/m, /n.l/s]) {
    const matches = guarded(regex, 10_000);
    for (const text of texts) assert.equal(matches(text), regex.test(text), `${regex} with ${text.slice(0, 20)}`);
  }
});

it('a text that is made to be slow has its time [ours: ReDoS]', () => {
  const text = `${'a'.repeat(50_000)}!`;
  for (const regex of [/^(a+)+$/, /^(a|a)*$/, /^(?:a{1,}){1,}$/, /^a*a*a*a*a*$/, /(x+x+)+y|a+a+$/]) {
    assert.equal(guarded(regex, 20)(text), null, String(regex));
  }
});

it('of many such texts, each has less time than the one before [ours: ReDoS]', (context) => {
  const times: unknown[] = [];
  const run = Script.prototype.runInContext;
  context.mock.method(Script.prototype, 'runInContext', function (this: Script, ...given: Parameters<typeof run>) {
    times.push(typeof given[1] === 'object' ? given[1].timeout : given[1]);
    return run.apply(this, given);
  });
  const matches = guarded(/^(a+)+$/, 45);
  for (let i = 0; i < 4; i++) assert.equal(matches(`${'a'.repeat(50)}!`), null);
  assert.equal(matches('aaa'), true);
  assert.deepEqual(times, [45, 22, 11, 10, 10]);
});
