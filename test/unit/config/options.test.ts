// A test for every row of the option table: its default, a good value, a bad one, and what a reload makes of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { sameValue } from '../../../src/config/draft.ts';
import { Unfit } from '../../../src/config/kinds.ts';
import { CONFIG_OPTIONS, type ConfigOption, findOption } from '../../../src/config/options.ts';
import { diffConfigs, restartNotice } from '../../../src/config/reload.ts';
import { load, loadError } from './config-files.ts';

const DIRECTIVES = new Set(['include_dir', 'listener', 'port', 'bind_address']);
const TEXTS = [
  'true',
  'false',
  '7',
  '1',
  'tlsv1.3',
  'ipv4',
  'websockets',
  '3,5',
  '14d',
  'debug',
  'stdout',
  'engine',
  'lazy',
];
const TEXTS_TOO = ['mqttv50', 'immediate', 'some text', '5000', 'interval', 'refuse'];
const BAD = ['maybe', '-2', '99999999999999999999'];

/** What certificate options need around them. */
const TLS_NEEDS: Readonly<Record<string, string>> = {
  certfile: 'keyfile k\n',
  keyfile: 'certfile c\n',
  cafile: 'certfile c\nkeyfile k\n',
  capath: 'certfile c\nkeyfile k\n',
  crlfile: 'certfile c\nkeyfile k\n',
  require_certificate: 'certfile c\nkeyfile k\ncafile a\n',
};

/** A file that has the option where it belongs. */
function fileWith(option: ConfigOption, line: string): string {
  if (option.scope !== 'listener') return `${line}\nlistener 1999\n`;
  return `listener 1999\n${TLS_NEEDS[option.name] ?? ''}${line}\n`;
}

/** A text that the option takes and that is not its default. */
function otherText(option: ConfigOption): string {
  const text = [...TEXTS, ...TEXTS_TOO].find((one) => {
    const value = option.kind.parse(one);
    return !(value instanceof Unfit) && !sameValue(option, value, option.default);
  });
  assert.ok(text !== undefined, `no text for ${option.name}`);
  return text;
}

function valueIn(config: Config, option: ConfigOption): unknown {
  const listener = config.listeners[0];
  const holder = { global: config.global, security: config.security, listener }[option.scope as 'global'];
  return new Map<string, unknown>(Object.entries(holder)).get(option.key);
}

function lineName(option: ConfigOption): string {
  return option.name.replace('*', 'colour');
}

describe('rows of the option table', () => {
  for (const option of CONFIG_OPTIONS) {
    const name = lineName(option);
    const hasValue = option.supported && !option.ignored && !DIRECTIVES.has(option.name);

    it(`${option.name} is described and found by every name`, () => {
      assert.match(option.description, /^.*[.]$/);
      assert.equal(findOption(name), option);
      for (const alias of option.aliases) assert.equal(findOption(alias.replace('*', 'colour')), option);
      if (option.default !== null) assert.equal(option.kind.fault(option.default), null);
    });

    it(`${option.name} needs a value`, () => {
      assert.deepEqual(loadError(`# first\n${name}\n`), [
        `Error: Empty ${name} value in configuration.`,
        'Error found at m.conf:2.',
      ]);
    });

    if (!option.supported) {
      it(`${option.name} is refused by name`, () => {
        const lines = loadError(`${name} ${otherText(option)}\n`);
        assert.equal(lines[0], `Error: The '${name}' option is not supported by mqtt-broker.`);
        assert.equal(lines[1], option.refusal);
        assert.equal(lines[2], 'Error found at m.conf:1.');
      });
    }

    if (option.ignored) {
      it(`${option.name} is ignored with a warning`, () => {
        const { warnings } = load(fileWith(option, `${name} ${otherText(option)}`));
        assert.match(warnings[0]?.text ?? '', new RegExp(`^Warning: The ${name} option is no longer available`));
      });
    }

    if (hasValue) {
      it(`${option.name} has its default, takes a value and notices a reload`, () => {
        const text = otherText(option);
        const isPair = option.name === 'certfile' || option.name === 'keyfile';
        const before = load(isPair ? 'listener 1999\n' : fileWith(option, '')).config;
        const { config: after, warnings } = load(fileWith(option, `${name} ${text}`));
        const wanted = option.name === 'allow_anonymous' ? false : option.default;
        assert.deepEqual(valueIn(before, option), wanted);
        assert.deepEqual(valueIn(after, option), option.kind.parse(text));
        const deprecation = warnings.filter(({ text: warning }) => warning.includes('is now deprecated'));
        assert.equal(deprecation.length, option.deprecated === null ? 0 : 1);

        const diff = diffConfigs(before, after);
        const changes = option.scope === 'listener' ? diff.kept[0]?.changes : diff.changes;
        const change = changes?.find((one) => one.option === option);
        assert.equal(change?.reload, option.reload);
        assert.equal(change?.place?.line, after.places.get(option.key)?.line ?? change?.place?.line);
        assert.equal(restartNotice(change) === null, option.reload === 'live');
        assert.deepEqual(diffConfigs(after, after).changes, []);
      });
    }

    const bad = BAD.find((text) => option.kind.parse(text) instanceof Unfit);
    if (hasValue && bad !== undefined) {
      it(`${option.name} refuses ${bad} with its place`, () => {
        const lines = loadError(`\n${name} ${bad}\n`);
        assert.ok(lines[0]?.startsWith('Error: ') && (lines[0].includes(name) || lines[0].includes(bad)), lines[0]);
        assert.equal(lines.at(-1), 'Error found at m.conf:2.');
      });
    }
  }
});
