// Writes the manual pages, from the prose and the tables: `npm run man`.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { manPage, PAGES } from '../../src/cli/man.ts';
import { repository } from './process.ts';

for (const page of PAGES) {
  const prose = readFileSync(path.join(repository, 'man', page.prose), 'utf8');
  writeFileSync(path.join(repository, 'man', page.file), manPage(page, prose));
}
