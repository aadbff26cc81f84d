import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import '../../../src/cli/options/bench.ts';
import { optionsOf } from '../../../src/cli/options/tables.ts';
import { TOOLS } from '../../../src/cli/options/tools.ts';
import { helpText, spelling, versionText } from '../../../src/cli/usage.ts';
import { repository } from '../../support/process.ts';

const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as { version: string };

for (const tool of ['broker', 'pub', 'sub', 'rr', 'passwd', 'bench'] as const) {
  describe(`mqtt-${tool}`, () => {
    const text = helpText(tool);

    it('--help lists what is supported, and nothing else', () => {
      for (const row of optionsOf(tool)) {
        assert.equal(text.includes(`  ${spelling(row)}`), row.refused === undefined, row.key);
      }
    });

    it('--help fits in 80 columns', () => {
      assert.deepEqual(
        text.split('\n').filter((line) => line.length > 79),
        [],
      );
    });

    it('--help says each option in full', () => {
      const words = text.replace(/\s+/g, ' ');
      for (const row of optionsOf(tool)) {
        if (row.refused === undefined) assert.ok(words.includes(row.help), row.key);
      }
    });

    it('--version tells name and version', () => {
      const expected = tool === 'broker' ? `mqtt-broker ${version}` : `${TOOLS[tool].name} version ${version}`;
      assert.equal(versionText(tool).split('\n')[0], expected);
    });
  });
}

it("the broker's --help begins with its usage", () => {
  assert.equal(helpText('broker').split('\n')[0], 'Usage: mqtt-broker [-c config_file] [-d] [-h] [-p port] [-v]');
});

it("the broker's --version has three lines", () => {
  assert.equal(versionText('broker').split('\n').length, 4);
});
