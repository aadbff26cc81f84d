// Writes test/wire/CLAUSES.md, from the tables of the statements and the names of the cases, and prints what is missing:
// `npm run clauses`.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { citations, clausesOf, misplaced, register, STANDARDS, unproved } from './clauses.ts';
import { repository } from './process.ts';

writeFileSync(path.join(repository, 'test/wire/CLAUSES.md'), register());
const clauses = STANDARDS.flatMap(clausesOf);
const cited = citations();
for (const line of [...unproved(clauses, cited), ...misplaced(clauses, cited)]) process.stdout.write(`${line}\n`);
