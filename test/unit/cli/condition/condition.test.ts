import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileCondition } from '../../../../src/cli/condition/condition.ts';
import { type Expression, parseCondition } from '../../../../src/cli/condition/parser.ts';
import { ConditionError } from '../../../../src/cli/condition/tokens.ts';
import { UsageError } from '../../../../src/cli/messages.ts';
import type { ReceivedMessage } from '../../../../src/client/options.ts';
import { received } from '../messages.ts';

const silent = (): void => undefined;

function holds(condition: string, fields: Omit<Partial<ReceivedMessage>, 'payload'> & { payload?: string }): boolean {
  const { payload = '', ...rest } = fields;
  return compileCondition(condition, silent)(received({ ...rest, payload: Buffer.from(payload) }));
}

const WEATHER =
  '{"temp":31.5,"state":"busy","on":true,"off":false,"none":null,"list":[{"name":"x"},{"name":"y"}],"n":"12","room-temp":7}';

/** Conditions that are true, and false, of a payload. */
const CASES: readonly [payload: string, isTrue: readonly string[], isFalse: readonly string[]][] = [
  [
    WEATHER,
    [
      'payload.temp > 30',
      'payload.temp>=31.5&&payload.temp<=31.5',
      'payload["temp"] != 31',
      '30 < payload.temp',
      'payload.list[0].name == "x"',
      "payload.list[1].name == 'y'",
      'payload.list.length == 2',
      'payload.room-temp == 7',
      'payload.on',
      'payload.on == true',
      'payload.on == 1',
      '!payload.off',
      'payload.state ~ /^BUS/i',
      'payload.state !~ /idle/',
      'payload.state < "c"',
      'payload.n > 11',
      'payload.none == null',
      'payload.missing == null',
      'payload.temp != null',
      'payload.list != 3',
      'payload.state != 3',
      'payload ~ /"busy"/',
      '/"state"\\s*:\\s*"busy"/',
      'payload.temp < 0 || payload.temp > 30 && payload.state == "busy"',
      '!(payload.temp < 0 || payload.state == "idle")',
      '!!payload.temp',
    ],
    [
      'payload.temp > 31.5',
      'payload.missing > 0',
      'payload.missing < 0',
      'payload.missing != 3',
      'payload.missing == payload.also',
      'payload.missing',
      'payload.missing ~ /x/',
      'payload.missing !~ /x/',
      'payload.none != 3',
      'payload.none < null',
      'payload.state > 3',
      'payload.state == 0',
      'payload.list == 2',
      'payload.list > 0',
      'payload.list ~ /x/',
      'payload.list[2].name == "z"',
      'payload.list[0][0]',
      'payload.state.length',
      'payload.temp.toFixed',
      'payload.constructor',
      'payload.__proto__',
      'payload.list.map',
      'payload.off',
      'payload == "31.5"',
      'payload.on == "true"',
    ],
  ],
  [
    'on',
    ['payload == "on"', '/^on$/', 'payload != "off"', 'payload'],
    ['payload == "off"', 'payload != "on"', 'payload.on', 'payload > 3', 'payload[0]'],
  ],
  [
    'true',
    ['payload == true', 'payload == "true"', '"true" == payload', 'payload'],
    ['payload == "1"', 'payload != "true"'],
  ],
  ['021', ['payload == 21', 'payload == "021"', 'payload < 22'], ['payload == "21"']],
  ['42', ['payload == 42', 'payload == "42"', 'payload ~ /^4/', 'payload >= 42'], ['payload == "0x2a"', 'payload.x']],
  ['"on"', ['payload == "on"', 'payload == \'"on"\'', 'payload ~ /^"on"$/'], ['payload ~ /^on$/']],
  ['null', ['payload == null', 'payload == "null"'], ['payload', 'payload.x == 1']],
  ['', ['payload == ""', '!payload', '/^$/'], ['payload == null', 'payload > -1', 'payload']],
  ['[3,[4]]', ['payload[0] == 3', 'payload[1][0] == 4'], ['payload["0"] == 4', 'payload == 3']],
  ['{"__proto__":{"x":1},"a.b":2}', ['payload.__proto__.x == 1', 'payload["a.b"] == 2'], ['payload.x', 'payload.a.b']],
  ['a"b\\c\nd', ['payload == "a\\"b\\\\c\\nd"', 'payload ~ /c\\nd/', 'payload == "a\\u0022b\\\\c\\nd"'], []],
];

describe('a condition', () => {
  it('is true or false of a payload', () => {
    for (const [payload, isTrue, isFalse] of CASES) {
      for (const condition of isTrue) assert.equal(holds(condition, { payload }), true, `${condition} of ${payload}`);
      for (const condition of isFalse) assert.equal(holds(condition, { payload }), false, `${condition} of ${payload}`);
    }
  });

  it('looks at topic, QoS, retain flag and properties', () => {
    const message = {
      topic: 'room/1',
      qos: 1,
      retain: true,
      properties: {
        contentType: 'text/plain',
        messageExpiryInterval: 60,
        correlationData: Buffer.from('c1'),
        userProperties: [
          ['unit', 'C'],
          ['unit', 'F'],
          ['level', '7'],
          ['content-type', 'mine'],
          ['__proto__', 'p'],
        ],
      },
    } as const;
    for (const condition of [
      'topic == "room/1" && qos == 1 && retain',
      'topic ~ /^room\\//',
      'retain == true && qos > 0',
      'properties.unit == "C"',
      'properties.level > 6',
      'properties.content-type == "text/plain"',
      'properties["correlation-data"] == "c1"',
      'properties.message-expiry-interval == 60',
      'properties.__proto__ == "p"',
      'properties.nothing == null',
    ]) {
      assert.equal(holds(condition, message), true, condition);
    }
    for (const condition of ['topic ~ /2/', 'qos == 2', 'retain == false', 'properties.constructor', 'topic.x']) {
      assert.equal(holds(condition, message), false, condition);
    }
    assert.equal(holds('properties.unit == "C"', {}), false);
  });

  it('that makes no sense is refused with a line that points at the fault', () => {
    const faults: readonly [condition: string, at: number, why: RegExp][] = [
      ['', 0, /a value was expected here/],
      ['payload.temp >', 14, /a value was expected here/],
      ['payload.temp > > 3', 15, /not '>'/],
      ['payload = 3', 8, /'==' has/],
      ['payload === 3', 8, /'==' has/],
      ['qos => 1', 4, /'>=' has/],
      ['qos =< 1', 4, /'<=' has/],
      ['qos & retain', 4, /'&&' has/],
      ['qos | retain', 4, /'\|\|' has/],
      ['topic =~ /x/', 6, /'~' has/],
      ['topic == /x/', 9, /must follow '~'/],
      ['topic ~ "x"', 8, /regular expression must follow/],
      ['topic ~ /(/', 8, /no regular expression/],
      ['topic ~ /x/g', 8, /flags .* not 'g'/],
      ['topic ~ /x', 8, /no end/],
      ['//', 0, /no end, or is empty/],
      ['topic == "x', 9, /no end/],
      ['(qos == 1', 0, /never closed/],
      ['qos == 1)', 8, /no '\('/],
      ['payload[', 8, /from 0 on or a quoted name/],
      ['payload[-1]', 8, /from 0 on/],
      ['payload[1', 7, /never closed/],
      ['payload. x', 7, /name behind/],
      ['.x', 0, /in front of/],
      ['0 < qos < 2', 8, /chained/],
      ['qos retain', 4, /'&&', '\|\|' or the end/],
      ['process.exit()', 0, /'process' is unknown/],
      ['payload.x()', 9, /'&&', '\|\|' or the end/],
      ['constructor', 0, /unknown/],
      ['qos == 1.2.3', 7, /no number/],
      ['qos + 1', 4, /no meaning/],
      [`${'('.repeat(200)}`, 100, /too deeply/],
      [`${'!'.repeat(200)}qos`, 100, /too deeply/],
    ];
    for (const [condition, at, why] of faults) {
      assert.throws(
        () => compileCondition(condition, silent),
        (error) => {
          assert.ok(error instanceof UsageError, condition);
          const [first = '', line, caret] = error.message.split('\n');
          assert.match(first, /^The condition of --until makes no sense: .*\.$/, condition);
          assert.match(first, why, condition);
          assert.deepEqual([line, caret], [`  ${condition}`, `  ${' '.repeat(at)}^`]);
          return true;
        },
      );
    }
  });

  it('as long as a command line can be is no problem', () => {
    assert.equal(holds(Array(20_000).fill('qos==0').join('&&'), {}), true);
    assert.equal(holds(Array(20_000).fill('qos==1').join('||'), {}), false);
  });

  it('knows a number in no time, however many digits are in front of what makes it none [ours: ReDoS]', () => {
    const payload = `${'1'.repeat(1_000_000)}x`;
    assert.equal(holds('payload > 30', { payload }), false);
    assert.equal(holds('payload == 30', { payload }), false);
  });

  it('tells once that a regular expression takes too long [ours: ReDoS]', () => {
    const sentences: string[] = [];
    const condition = compileCondition('/^(a+)+$/', (sentence) => sentences.push(sentence));
    const hostile = received({ payload: Buffer.from(`${'a'.repeat(60)}!`) });
    assert.equal(condition(hostile), false);
    assert.equal(condition(received({ payload: Buffer.from('aaa') })), true);
    assert.equal(condition(hostile), false);
    assert.equal(sentences.length, 1);
    assert.match(sentences[0] ?? '', /^Warning: A regular expression .* took too long/);
  });
});

/** Any expression that a condition can be, within bounds. */
const literal = fc
  .oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null))
  .map((value) => ({ kind: 'literal', value: Object.is(value, -0) ? 0 : value }) as const);
const PLAIN_OBJECT = { noNullPrototype: true };
const path = fc.record(
  {
    kind: fc.constant('path' as const),
    root: fc.constantFrom('payload', 'topic', 'qos', 'retain', 'properties'),
    steps: fc.array(fc.oneof(fc.string(), fc.nat())),
  },
  PLAIN_OBJECT,
);
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4 },
    literal,
    path,
    fc.record(
      {
        kind: fc.constantFrom('any' as const, 'all' as const),
        of: fc.array(tie('expression'), { minLength: 2, maxLength: 3 }),
      },
      PLAIN_OBJECT,
    ),
    fc.record({ kind: fc.constant('not' as const), of: tie('expression') }, PLAIN_OBJECT),
    fc.record(
      {
        kind: fc.constant('compare' as const),
        sign: fc.constantFrom('==', '!=', '<', '<=', '>', '>='),
        left: tie('expression'),
        right: tie('expression'),
      },
      PLAIN_OBJECT,
    ),
    fc.record(
      {
        kind: fc.constant('match' as const),
        of: tie('expression'),
        regex: fc.constantFrom(/on|off/, /[/]\/x/i),
        isNegated: fc.boolean(),
      },
      PLAIN_OBJECT,
    ),
  ),
}));

/** An expression as a person would write it, in brackets. */
function written(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return typeof expression.value === 'string' ? quoted(expression.value) : String(expression.value);
    case 'path':
      return `${expression.root}${expression.steps.map((step) => `[${typeof step === 'string' ? quoted(step) : step}]`).join('')}`;
    case 'any':
    case 'all':
      return expression.of.map((part) => `(${written(part)})`).join(expression.kind === 'any' ? ' || ' : '&&');
    case 'not':
      return `!(${written(expression.of)})`;
    case 'compare':
      return `(${written(expression.left)})${expression.sign}(${written(expression.right)})`;
    case 'match':
      return `(${written(expression.of)}) ${expression.isNegated ? '!~' : '~'} ${expression.regex}`;
  }
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;

describe('conditions of all kinds', () => {
  it('are read as they are written', () => {
    fc.assert(fc.property(expression, (tree) => assert.deepEqual(parseCondition(written(tree)), tree)));
  });

  it('are either understood or refused', () => {
    const words = fc.constantFrom(
      'payload',
      '.x',
      '[0]',
      '["y"]',
      '3',
      '"s"',
      '/r/',
      '==',
      '<',
      '~',
      '!',
      '&&',
      '||',
      '(',
      ')',
      'null',
    );
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(words).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(text, (condition) => {
        try {
          parseCondition(condition);
        } catch (error) {
          assert.ok(error instanceof ConditionError);
          assert.ok(error.at >= 0 && error.at <= condition.length);
        }
      }),
    );
  });

  it('say yes or no to any message', () => {
    fc.assert(
      fc.property(expression, fc.oneof(fc.json(), fc.string()), fc.uint8Array(), (tree, text, bytes) => {
        const condition = compileCondition(written(tree), silent);
        for (const payload of [Buffer.from(text), Buffer.from(bytes)]) {
          assert.equal(typeof condition(received({ payload })), 'boolean');
        }
      }),
    );
  });

  it('compare numbers as numbers are compared', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(number, number, (left, right) => {
        const payload = JSON.stringify({ left, right });
        assert.equal(holds('payload.left < payload.right', { payload }), left < right);
        assert.equal(holds('payload.left >= payload.right', { payload }), left >= right);
        assert.equal(holds('payload.left == payload.right', { payload }), left === right);
        assert.equal(holds('payload.left != payload.right', { payload }), left !== right);
      }),
    );
  });
});
