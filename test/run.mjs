// Transpiles src, bin, test and bench to build/ with esbuild (modules stay separate, so that tests import single ones and
// stack traces point at the source), then runs the test files with node:test and prints the totals.
//
//   node test/run.mjs [--build-only] [--no-build] [word …]     a word picks the files whose path contains it
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { build } from 'esbuild';

const root = path.dirname(import.meta.dirname);
const out = path.resolve(root, process.env.BUILD_DIR ?? 'build');

/** Every file below a folder, as paths relative to the repository. */
function filesBelow(folder) {
  const found = [];
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...filesBelow(name));
    else found.push(name);
  }
  return found;
}

/** Keeps every relative import a module of its own, with the ending that the output has; JSON is taken in. */
const separateModules = {
  name: 'separate-modules',
  setup(context) {
    context.onResolve({ filter: /^\.{1,2}\// }, (args) =>
      args.kind === 'entry-point' || args.path.endsWith('.json')
        ? undefined
        : { path: args.path.replace(/\.ts$/, '.js'), external: true },
    );
  },
};

async function transpile() {
  const sources = ['src', 'bin', 'test', 'bench'].flatMap(filesBelow).filter((name) => name.endsWith('.ts'));
  rmSync(out, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: sources,
    outdir: out,
    outbase: '.',
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [separateModules],
  });
}

/**
 * The order in which folders start: those whose files take seconds first, so that the short files at the end fill all lanes.
 * A file that takes much longer than its folder's others may stand here by itself. What is not named comes last.
 */
const LONGEST_FIRST = [
  'interop/differential',
  'broker/store-crash',
  'wire',
  'interop',
  'damage',
  'broker',
  'cli',
  'guard',
  'property',
];

/** Files at the same time: more than the two cores that the suite is made for, because many tests wait for programs and for time. */
const LANES = 3;

/** The place of a test file, by its path below test/, in that order. */
function placeOf(name) {
  const place = LONGEST_FIRST.findIndex((start) => name.startsWith(start));
  return place === -1 ? LONGEST_FIRST.length : place;
}

/**
 * Node reads further certificates at every start, which can take longer than the start itself, and the tests start a thousand
 * programs that need none. Only the test that has npm install the package may need them, to reach the registry.
 */
if (process.env.NODE_EXTRA_CA_CERTS !== undefined) {
  process.env.NPM_EXTRA_CA_CERTS = process.env.NODE_EXTRA_CA_CERTS;
  delete process.env.NODE_EXTRA_CA_CERTS;
}

// Options files of whoever runs the tests are not theirs.
process.env.XDG_CONFIG_HOME = '';

const args = process.argv.slice(2);
const words = args.filter((arg) => !arg.startsWith('--'));
if (!args.includes('--no-build')) await transpile();

if (!args.includes('--build-only')) {
  const files = filesBelow(path.relative(root, path.join(out, 'test')))
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort()
    .map((name) => ({ name, place: placeOf(path.relative(path.join(out, 'test'), path.join(root, name))) }))
    .sort((one, other) => one.place - other.place)
    .map(({ name }) => path.join(root, name));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const count = (name) => (data) => {
    if (data.details?.type === 'suite') return;
    if (data.skip !== undefined) counts.skipped += 1;
    else counts[name] += 1;
  };
  const stream = run({ files, concurrency: LANES, timeout: 120_000 });
  stream.on('test:pass', count('passed'));
  stream.on('test:fail', count('failed'));
  stream.on('test:fail', () => {
    process.exitCode = 1;
  });
  stream.compose(spec).pipe(process.stdout);
  stream.on('end', () => {
    if (counts.passed + counts.failed === 0) process.exitCode = 1;
    process.on('exit', () => {
      process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    });
  });
}
