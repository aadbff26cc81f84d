import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import type { Io } from '../../../src/cli/io.ts';
import type { Tool } from '../../../src/cli/options/row.ts';
import { TOOLS } from '../../../src/cli/options/tools.ts';
import { readCommandLine } from '../../../src/cli/start.ts';

for (const tool of ['broker', 'pub', 'sub', 'rr', 'passwd'] as const satisfies readonly Tool[]) {
  test(`--help and --version of ${TOOLS[tool].name} end in order where nothing can be written`, async () => {
    for (const option of ['--help', '--version']) {
      const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error('no space left on device')) });
      const closed = new Promise((resolve) => stdout.once('close', resolve));
      const code = await readCommandLine(tool, [option], { stdout, env: {} } as unknown as Io);
      assert.equal(code, TOOLS[tool].helpCode);
      await closed;
    }
  });
}
