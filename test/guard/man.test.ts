// The manual pages are made from the prose and the option tables; what is committed is what would be made now.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { manPage, PAGES } from '../../src/cli/man.ts';
import { finish, repository, without } from '../support/process.ts';
import { textOf } from './sources.ts';

test('package.json lists every page, and nothing else', () => {
  const { man } = JSON.parse(textOf('package.json'));
  assert.deepEqual([...man].sort(), PAGES.map((page) => `./man/${page.file}`).sort());
});

for (const page of PAGES) {
  test(`man/${page.file} is up to date`, () => {
    const made = manPage(page, textOf(`man/${page.prose}`));
    assert.ok(textOf(`man/${page.file}`) === made, 'it differs from what "npm run man" makes now');
  });

  test(`mandoc has nothing against man/${page.file}`, { skip: without('mandoc') }, async () => {
    const file = path.join(repository, 'man', page.file);
    const { stdout, code } = await finish('mandoc', ['-T', 'lint', '-W', 'warning', file]);
    assert.equal(stdout, '');
    assert.equal(code, 0);
  });
}
