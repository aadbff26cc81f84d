// A configuration that is printed and read again is the same, and any text gives a configuration or a ConfigError.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Config, ListenerConfig } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/config/errors.ts';
import { Unfit } from '../../../src/config/kinds.ts';
import { type ConfigOption, OPTION_NAMES, valueOptions } from '../../../src/config/options.ts';
import { load } from '../../unit/config/config-files.ts';

const WORDS = [
  'true',
  'false',
  '0',
  '1',
  '2',
  '50',
  'tlsv1.2',
  'tlsv1.3',
  'ipv4',
  'ipv6',
  'websockets',
  '4,5',
  '3',
  '9w',
];
const MORE_WORDS = [
  'error',
  'debug',
  'all',
  'none',
  'stdout',
  'syslog',
  'file /var/log/my log',
  'ein Wort',
  'é/ü',
  '0x1F',
  'always',
  'interval',
  'off',
  'recover',
  'refuse',
];

/** Options that need others beside them. */
const JOINED = new Set(['certfile', 'keyfile', 'cafile', 'capath', 'crlfile', 'require_certificate']);

/** Lines that set some of the options, each to a value that it takes. */
function linesOf(options: readonly ConfigOption[]): fc.Arbitrary<string> {
  const values = new Map(
    options.map((o) => [o, [...WORDS, ...MORE_WORDS].filter((word) => !(o.kind.parse(word) instanceof Unfit))]),
  );
  const line = (option: ConfigOption): fc.Arbitrary<string> =>
    fc.constantFrom(...(values.get(option) ?? [])).map((word) => `${option.name} ${word}\n`);
  return fc
    .subarray([...options])
    .chain((some) => fc.tuple(...some.map(line)))
    .map((some) => some.join(''));
}

const GLOBAL = [...valueOptions('global').values()].filter(({ name }) => name !== 'per_listener_settings');
const SECURITY = [...valueOptions('security').values()];
const LISTENER = [...valueOptions('listener').values()].filter(({ name }) => !JOINED.has(name));

function printValues(options: Iterable<ConfigOption>, values: object): string {
  const byKey = new Map<string, unknown>(Object.entries(values));
  let text = '';
  for (const option of options) {
    const value = byKey.get(option.key);
    if (value === null || value === undefined) continue;
    for (const printed of option.kind.print(value)) text += `${option.name} ${printed}\n`;
  }
  return text;
}

function print(config: Config): string {
  let text = printValues(GLOBAL, config.global);
  if (config.global.perListenerSettings) text = `per_listener_settings true\n${text}`;
  else text += printValues(SECURITY, config.security);
  for (const listener of config.listeners) {
    text += `listener ${listener.port} ${listener.path ?? listener.host ?? ''}\n${printValues(LISTENER, listener)}`;
    if (config.global.perListenerSettings) text += printValues(SECURITY, listener.security);
  }
  return text;
}

/** The values without the places, which a printed file has elsewhere. */
function bare(config: Config): unknown {
  const plain = ({ places: _, place: __, security, ...rest }: ListenerConfig): unknown => {
    const { places: ___, ...values } = security;
    return { ...rest, ...values };
  };
  return { global: config.global, listeners: config.listeners.map(plain) };
}

const listenerLine = fc.constantFrom('', ' 127.0.0.1', ' ::1', ' localhost');

const files = fc
  .tuple(
    fc.boolean(),
    linesOf(GLOBAL),
    linesOf(SECURITY),
    fc.array(fc.tuple(listenerLine, linesOf(LISTENER), linesOf(SECURITY)), { minLength: 1, maxLength: 3 }),
  )
  .map(([perListener, global, security, listeners]) => {
    const head = perListener ? `per_listener_settings true\n${global}` : `${global}${security}`;
    const tail = listeners.map(
      ([address, options, own], index) => `listener ${2000 + index}${address}\n${options}${perListener ? own : ''}`,
    );
    return head + tail.join('');
  });

it('prints and reads back the same', () => {
  fc.assert(
    fc.property(files, (text) => {
      const { config } = load(text);
      assert.deepEqual(bare(load(print(config)).config), bare(config));
    }),
    { numRuns: 150 },
  );
});

it('makes a configuration or a ConfigError of any text', () => {
  const name = fc.oneof(fc.constantFrom(...OPTION_NAMES), fc.string());
  const value = fc.oneof(fc.constantFrom(...WORDS, ...MORE_WORDS), fc.string({ unit: 'binary' }));
  const text = fc.array(fc.tuple(name, value).map(([a, b]) => `${a} ${b}`)).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, (some) => {
      try {
        assert.ok(load(some).config.listeners.length > 0);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        assert.equal(error.exitCode, 3);
        assert.ok(error.lines.every((line) => !line.includes('\n') && line !== ''));
      }
    }),
    { numRuns: 500 },
  );
});
