// The readers of configuration, password and ACL files under any text: a result, or a sentence that names file and line.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAcl } from '../../src/broker/plugins/acl-file.ts';
import { parsePasswords } from '../../src/broker/plugins/password-file.ts';
import { ConfigError } from '../../src/config/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { OPTION_NAMES } from '../../src/config/options.ts';
import { Dice } from './fuzz-dice.ts';

const VALUES = [
  ...['true', 'false', '0', '1', '-1', '50', '65536', '4294967295', '1e9', '0x1F', '9w', '1h', '99999999999999999999'],
  ...[
    'all',
    'none',
    'debug',
    'stdout',
    'file /tmp/x',
    'topic',
    'syslog',
    'websockets',
    'mqtt',
    'ipv6',
    'tlsv1.3',
    '4,5',
  ],
  ...[
    '1883',
    '1884 127.0.0.1',
    '0 /run/sock',
    '::1',
    'a b c',
    '"quoted"',
    '$',
    '%u',
    'é',
    '\u0000',
    '\ud800',
    '__proto__',
  ],
];

const PASSWORD_LINES = [
  'user:$7$101$vAUzr3R4ssYltfJO$VzQaRjEqW1CfQP3uXh/jGp4V1RxfJ0/sCQKbeLKuhnFp3+sDLzmnHa6RQdCXfB951zlOJU6qY33nK7FPR8CSNQ==',
  'old:$6$lhQ8zRl7qB8Si62M$0oZ4BsZx6BQu4SWHaSmC7NwaQqxtUTmD6q8hFOETIYrA7Uu9FP0fisRUS69atxH5QEeOXo6Vvzr063XTtnmECQ==',
  'argon:$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  'crypt:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
  '# comment',
  '',
];

const ACL_LINES = [
  'user alice',
  'topic read a/#',
  'topic deny $SYS/#',
  'pattern write %c/+/%u',
  'topic x',
  'topic readwrite a b',
  '# comment',
  'user',
];

const SPECIAL = [' ', '\t', '\r', ':', '$', '#', '+', '/', '%', '\u0000', '\ufeff', '\ud800', 'ü', '=', ',', '9'];

/** A line with some characters put in, taken out or exchanged. */
function spoil(dice: Dice, line: string): string {
  let text = line;
  for (let times = dice.below(4); times > 0; times--) {
    const at = dice.below(text.length + 1);
    text = text.slice(0, at) + (dice.chance(0.7) ? dice.pick(SPECIAL) : '') + text.slice(at + dice.below(3));
  }
  return text;
}

function lines(dice: Dice, one: () => string): string[] {
  return Array.from({ length: dice.below(8) }, () => (dice.chance(0.5) ? one() : spoil(dice, one())));
}

function fuzzConfig(dice: Dice): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-'));
  const file = path.join(folder, 'm.conf');
  const text = lines(dice, () => `${dice.pick(OPTION_NAMES)} ${dice.pick(VALUES)}`).join(
    dice.chance(0.9) ? '\n' : '\r\n',
  );
  writeFileSync(file, dice.chance(0.9) ? text : dice.bytes(dice.below(200)));
  try {
    const { config } = loadConfig(file, {});
    assert.ok(config.listeners.length > 0);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.equal(error.exitCode, 3);
    assert.ok(error.lines.every((line) => line !== '' && !/[\n\0]/.test(line)));
    assert.ok(
      error.lines.some((line) => line.includes(`${file}:`)),
      `no place: ${error.message} of ${JSON.stringify(text)}`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A parser of lines: what it throws and what it warns of name the file and the line. */
function fuzzLines(parse: (warn: (text: string) => void) => unknown, text: readonly string[]): void {
  const check = (sentence: string): void => {
    const place = /"the file", line (\d+)/.exec(sentence);
    const line = Number(place?.[1]);
    assert.ok(line >= 1 && line <= text.length, `no place: ${sentence}`);
    assert.ok(!/[\n\0]/.test(sentence), `no sentence: ${JSON.stringify(sentence)}`);
  };
  try {
    parse(check);
  } catch (error) {
    if (error instanceof Error && error.constructor === Error) check(error.message);
    else throw error;
  }
}

/** Some files of each kind. */
export function fuzzFiles(seed: number): void {
  const dice = new Dice(seed);
  fuzzConfig(dice);
  for (let times = 0; times < 5; times++) {
    const passwords = lines(dice, () => dice.pick(PASSWORD_LINES));
    fuzzLines((warn) => parsePasswords(passwords, 'the file', warn), passwords);
    const rules = lines(dice, () => dice.pick(ACL_LINES));
    fuzzLines((warn) => parseAcl(rules, 'the file', warn), rules);
  }
}
