import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InboundAliases, OutboundAliases } from '../../../src/flow/alias.ts';

test('aliases of the other side are those up to the maximum that was announced', () => {
  const aliases = new InboundAliases<string>(2);
  assert.deepEqual(
    [0, 1, 2, 3].map((alias) => aliases.allows(alias)),
    [false, true, true, false],
  );
  assert.equal(new InboundAliases(0).allows(1), false);
  assert.equal(aliases.get(1), undefined);
  aliases.set(1, 'a');
  aliases.set(1, 'b');
  assert.equal(aliases.get(1), 'b');
});

test('the first topics get an alias, negative when it goes with the name, and keep it', () => {
  const [a, b, c] = [{}, {}, {}];
  const aliases = new OutboundAliases(2);
  assert.deepEqual(
    [a, b, a, c, b, c].map((topic) => aliases.use(topic)),
    [-1, -2, 1, 0, 2, 0],
  );
  assert.equal(new OutboundAliases(0).use(a), 0);
});
