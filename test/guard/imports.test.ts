// Folder order is import order: a lower folder never knows that a higher one exists. One table says who may import whom.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, sourcesBelow, targetOf, textOf } from './sources.ts';

interface Rule {
  /** Folders (or files) that may be imported. */
  readonly may: readonly string[];
  /** Folders (or files) of which only types may be imported. */
  readonly types?: readonly string[];
  /** Node modules allowed; all of them where this is not given. */
  readonly node?: readonly string[];
}

/** The table of counters: a leaf that sits beside its publisher. */
const COUNTERS = 'src/broker/sys/metrics.ts';

const BELOW_BROKER = ['src/util', 'src/log', 'src/protocol', 'src/flow', 'src/net', 'src/config'];

/** The place of a file is the longest of these names that its path begins with. Its own folder is always allowed. */
const RULES: Readonly<Record<string, Rule>> = {
  'src/version.ts': { may: ['package.json'] },
  'src/util': { may: [] },
  'src/log': { may: ['src/util'] },
  'src/protocol': { may: ['src/util'], node: ['node:buffer'] },
  'src/flow': { may: ['src/protocol', 'src/util'], node: [] },
  'src/net': { may: ['src/protocol', 'src/util', 'src/log'] },
  'src/client': { may: ['src/net', 'src/flow', 'src/protocol', 'src/util', 'src/log'] },
  'src/load': { may: ['src/client', 'src/net', 'src/flow', 'src/protocol', 'src/util'] },
  'src/config': { may: ['src/protocol', 'src/util', 'src/log'] },
  'src/broker/routing': {
    may: ['src/protocol', 'src/util'],
    types: ['src/broker/store/stored-place.ts'],
    node: [],
  },
  'src/broker/store': { may: ['src/protocol', 'src/util'] },
  'src/broker/sessions': {
    may: ['src/broker/routing', 'src/flow', 'src/protocol', 'src/util', COUNTERS],
    types: ['src/broker/store', 'src/broker/hooks/points.ts', 'src/net/outbox.ts', 'src/log'],
  },
  'src/broker/hooks': { may: ['src/protocol', 'src/util'], types: ['src/broker/routing', 'src/net/transport.ts'] },
  'src/broker/handlers': {
    may: [
      'src/broker/sessions',
      'src/broker/routing',
      'src/broker/hooks',
      'src/net/link.ts',
      'src/flow',
      'src/protocol',
      'src/util',
      COUNTERS,
    ],
    // A handler is called with the peer.
    types: ['src/broker/peer.ts'],
  },
  'src/broker/plugins': {
    may: ['src/broker/hooks', 'src/broker/routing', 'src/protocol', 'src/util', 'src/log'],
    types: ['src/config'],
  },
  'src/broker/sys': {
    may: ['src/broker/hooks', 'src/broker/routing', 'src/protocol', 'src/util', 'src/log'],
    types: ['src/config', 'src/broker/settings.ts'],
  },
  'src/broker': { may: ['src/broker', ...BELOW_BROKER, 'src/version.ts'] },
  'src/cli': {
    may: [
      'src/client',
      'src/load',
      'src/config',
      'src/broker/broker.ts',
      'src/broker/check-files.ts',
      'src/broker/store-tools',
      'src/broker/plugins/hashes.ts',
      'src/broker/plugins/password-entries.ts',
      'src/net/certificate-notes.ts',
      'src/net/dial-facts.ts',
      'src/net/tls-certificates.ts',
      'src/net/tls-errors.ts',
      'src/net/proxy-error.ts',
      'src/net/lookup-error.ts',
      'src/log',
      'src/protocol',
      'src/util',
      'src/version.ts',
    ],
  },
  'src/index.ts': { may: ['src/client', 'src/broker', 'src/config'] },
  bin: { may: ['src/cli/commands'] },
};

const isIn = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);

function placeOf(file: string): string {
  const places = Object.keys(RULES).filter((place) => isIn(file, place));
  const longest = places.sort((a, b) => b.length - a.length)[0];
  assert.ok(longest !== undefined, `${file} lies in no folder of the import table`);
  return longest;
}

/** The sentences about what a file imports against the rules. */
function offences(file: string, source: string): string[] {
  const place = placeOf(file);
  const rule = RULES[place];
  assert.ok(rule !== undefined);
  const found: string[] = [];
  for (const { line, specifier, isTypeOnly } of importsOf(source)) {
    const target = targetOf(file, specifier);
    if (target === null) {
      const isForbidden = specifier.startsWith('node:') && rule.node !== undefined && !rule.node.includes(specifier);
      if (isForbidden && !isTypeOnly) found.push(`${file}:${line} imports ${specifier}; ${place} does no I/O`);
      continue;
    }
    const allowed = [place, ...rule.may, ...(isTypeOnly ? (rule.types ?? []) : [])];
    if (!allowed.some((folder) => isIn(target, folder))) {
      found.push(`${file}:${line} imports ${isTypeOnly ? 'types of ' : ''}${target}; ${place} may not`);
    }
  }
  return found;
}

test('every import follows the folder order', () => {
  const found = sourcesBelow('src', 'bin').flatMap((file) => offences(file, textOf(file)));
  assert.deepEqual(found, []);
});

test('the guard sees a wrong import of each kind', () => {
  const cases: readonly [string, string][] = [
    ['src/util/a.ts', "import { b } from '../protocol/b.ts';"],
    ['src/protocol/a.ts', "import net from 'node:net';"],
    ['src/net/a.ts', "export { b } from '../broker/b.ts';"],
    ['src/broker/sessions/a.ts', "import { Outbox } from '../../net/outbox.ts';"],
    ['src/client/a.ts', "const b = await import('../broker/broker.ts');"],
    ['src/broker/peer.ts', "import {\n  connect,\n} from '../client/client.ts';"],
    ['bin/a.ts', "import '../src/cli/io.ts';"],
  ];
  for (const [file, source] of cases) assert.equal(offences(file, source).length, 1, source);
});

test('the guard lets through what is allowed', () => {
  const cases: readonly [string, string][] = [
    ['src/broker/sessions/a.ts', "import type { Outbox } from '../../net/outbox.ts';"],
    ['src/broker/sessions/a.ts', "import { type Outbox } from '../../net/outbox.ts';"],
    ['src/util/a.ts', "// import { b } from '../protocol/b.ts';"],
    ['src/broker/broker.ts', "import { Framer } from '../protocol/framer.ts';"],
    ['bin/a.ts', "import { main } from '../src/cli/commands/pub.ts';"],
  ];
  for (const [file, source] of cases) assert.deepEqual(offences(file, source), []);
});
