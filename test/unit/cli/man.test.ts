// The manual pages are made from the prose and the tables; the ones in the repository must be the ones that come out.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, test } from 'node:test';
import { manPage, PAGES } from '../../../src/cli/man.ts';
import { optionsOf } from '../../../src/cli/options/tables.ts';
import { blocks, inline } from '../../../src/cli/roff.ts';
import { CONFIG_OPTIONS } from '../../../src/config/options.ts';
import { finish, repository, without } from '../../support/process.ts';

const inMan = (name: string): string => path.join(repository, 'man', name);

for (const page of PAGES) {
  test(`man/${page.file} is up to date ("npm run man" makes it so)`, () => {
    const made = manPage(page, readFileSync(inMan(page.prose), 'utf8'));
    assert.equal(readFileSync(inMan(page.file), 'utf8'), made);
  });

  test(`man/${page.file} pleases mandoc`, { skip: without('mandoc') }, async () => {
    const { stdout, stderr, code } = await finish('mandoc', ['-T', 'lint', '-W', 'warning', inMan(page.file)]);
    assert.deepEqual([stdout, stderr, code], ['', '', 0]);
  });

  test(`man/${page.file} names every option`, () => {
    const names =
      page.tool === null
        ? CONFIG_OPTIONS.map((option) => option.name)
        : optionsOf(page.tool).flatMap((row) => [...row.names]);
    const text = readFileSync(inMan(page.file), 'utf8').replaceAll('\\-', '-');
    assert.deepEqual(
      names.filter((name) => !text.includes(`\\fB${name}\\fR`)),
      [],
    );
  });
}

for (const page of PAGES) {
  test(`man/${page.file} has every heading once`, () => {
    const headings = [...readFileSync(inMan(page.file), 'utf8').matchAll(/^\.SH .*$/gm)].map(String);
    assert.ok(headings.length > 0);
    assert.deepEqual(
      headings.filter((heading, place) => headings.indexOf(heading) !== place),
      [],
    );
  });
}

test('no other page lies about', () => {
  const pages = readdirSync(path.join(repository, 'man')).filter((name) => !name.endsWith('.md'));
  assert.deepEqual(pages.sort(), PAGES.map((page) => page.file).sort());
});

test('a page without a place for its options is refused', () => {
  const [page] = PAGES;
  assert.ok(page !== undefined);
  assert.throws(() => manPage(page, '# x(1)\n\n## Name\n'), /needs a title/);
  assert.throws(() => manPage(page, '<!-- options -->\n'), /needs a title/);
});

describe('roff', () => {
  it('shows backslashes, quotes, dashes and other characters as they are', () => {
    assert.equal(inline('a\\b -x \'y\' "z" ∞'), 'a\\eb \\-x \\(aqy\\(aq \\(dqz\\(dq \\[u221E]');
  });

  it('takes no line for a request', () => {
    assert.equal(inline('.TH x'), '\\&.TH x');
    assert.equal(blocks('## H\n\n```\n.x\n\ny\n```\n'), '.SH "H"\n.PP\n.RS 4\n.nf\n\\&.x\n\\&\ny\n.fi\n.RE');
  });

  it('knows code, bold and emphasis', () => {
    assert.equal(inline('`-c` **b** *e* 2 * 3'), '\\fB\\-c\\fR \\fBb\\fR \\fIe\\fR 2 * 3');
  });

  it('starts a line with each sentence', () => assert.equal(inline('One. Two'), 'One.\nTwo'));

  it('knows lists, terms and sub-headings', () => {
    assert.equal(
      blocks('### S\n\ntext\nmore\n\n- one\n- two'),
      '.SS "S"\ntext more\n.IP \\(bu 2\none\n.IP \\(bu 2\ntwo',
    );
    assert.equal(blocks('`T`\n: what it is'), '.TP\n\\fBT\\fR\nwhat it is');
  });
});
