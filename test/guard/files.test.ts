// What holds for files as such: their length, their names, and what a published repository must and must not contain.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/process.ts';
import { sourcesBelow, textOf } from './sources.ts';

const MAX_LINES = 400;

/** Files that are one table each; a table is as long as its facts. */
const TABLES = [
  'src/protocol/reasons.ts',
  'src/protocol/properties.ts',
  'src/config/table/',
  'src/config/options.ts',
  'src/cli/options/',
  'src/broker/sys/metrics.ts',
];

/** Files that git knows or would add: everything but what .gitignore names. */
function publishedFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', args, { cwd: repository, encoding: 'utf8' });
  const isFile = (name: string) => statSync(path.join(repository, name), { throwIfNoEntry: false })?.isFile() === true;
  return listed.split('\0').filter((name) => name !== '' && isFile(name));
}

test(`no source file is longer than ${MAX_LINES} lines, tables aside`, () => {
  const long = sourcesBelow('src', 'bin')
    .filter((file) => !TABLES.some((table) => file.startsWith(table)))
    .filter((file) => textOf(file).split('\n').length - 1 > MAX_LINES);
  assert.deepEqual(long, []);
});

test('source files are named in kebab-case and belong to no drawer', () => {
  const names = sourcesBelow('src', 'bin', 'test', 'bench');
  const odd = names.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(path.basename(file)));
  assert.deepEqual(odd, []);
  assert.deepEqual(
    names.filter((file) => /^(utils?|helpers?|misc|common)\.ts$/.test(path.basename(file))),
    [],
  );
});

test('no file speaks of a registry or of the place it was written at', () => {
  // Put together here so that this file does not contain what it looks for.
  const forbidden = [
    ['registry', 'npmjs'].join('.'),
    ['registry', 'yarnpkg'].join('.'),
    ['deb', 'debian', 'org'].join('.'),
    ['pypi', 'org'].join('.'),
    ['', 'work', 'main'].join('/'),
    ['', 'work', 'shared'].join('/'),
    ['', 'root', ''].join('/'),
  ];
  const found: string[] = [];
  for (const file of publishedFiles()) {
    const text = textOf(file);
    for (const word of forbidden) if (text.includes(word)) found.push(`${file} contains ${word}`);
  }
  assert.deepEqual(found, []);
});

test('a published project says what it is, what changed and under which licence', () => {
  for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    assert.ok(existsSync(path.join(repository, file)), `${file} is missing`);
  }
  assert.match(textOf('LICENSE'), /MIT License/);
  const { version } = JSON.parse(textOf('package.json'));
  assert.ok(textOf('CHANGELOG.md').includes(version), `CHANGELOG.md does not mention version ${version}`);
});

test('no finished source says that it is unfinished', () => {
  const found = sourcesBelow('src', 'bin').filter((file) => /\b(TODO|FIXME|XXX|HACK)\b(?! #\d)/.test(textOf(file)));
  assert.deepEqual(found, []);
});
