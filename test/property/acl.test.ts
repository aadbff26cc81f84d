import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ALLOW, DEFER, DENY, READ, WRITE } from '../../src/broker/hooks/points.ts';
import { parseAcl } from '../../src/broker/plugins/acl-file.ts';
import { type AclRule, RuleSet } from '../../src/broker/plugins/acl-rules.ts';
import { topicMatches } from '../../src/protocol/topic.ts';

const level = fc.constantFrom('a', 'b', '', '$SYS', '__proto__');
const topic = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((name) => name !== '');
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, deep]) => [...levels, ...(deep ? ['#'] : [])].join('/'))
  .filter((text) => text !== '');
const rule: fc.Arbitrary<AclRule> = fc.record({ filter, grants: fc.constantFrom(0, READ, WRITE, READ | WRITE) });

test('sorted rules answer as a plain walk does: any denial first, then any grant', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), topic, fc.constantFrom(READ, WRITE), (rules, name, access) => {
      const matching = rules.filter((one) => topicMatches(one.filter, name));
      const expected = matching.some((one) => one.grants === 0)
        ? DENY
        : matching.some((one) => (one.grants & access) !== 0)
          ? ALLOW
          : DEFER;
      assert.equal(new RuleSet(rules).decide(access, name), expected);
    }),
    { numRuns: 1000 },
  );
});

test('any text is an ACL file or is refused with a sentence that names the line', () => {
  const words = fc
    .array(fc.constantFrom('user', 'topic', 'pattern', 'read', 'deny', 'a/#', '#', '+', 'a+', '%u', '  ', '\t'))
    .map((parts) => parts.join(' '));
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string())), (lines) => {
      try {
        parseAcl(lines, 'f', () => undefined);
      } catch (error) {
        assert.ok(error instanceof Error);
        assert.match(error.message, /^Error: .* acl_file "f", line [0-9]+[.:].*$/s);
      }
    }),
  );
});
