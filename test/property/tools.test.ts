// Any command line, against a server that is no broker in one way or another: a tool ends with an exit code and sentences,
// never with an error of its own, and what it says holds no secret and nothing that controls a terminal.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { main as pub } from '../../src/cli/commands/pub.ts';
import { main as rr } from '../../src/cli/commands/rr.ts';
import { main as sub } from '../../src/cli/commands/sub.ts';
import type { OptionRow } from '../../src/cli/options/row.ts';
import { optionsOf } from '../../src/cli/options/tables.ts';
import { falseBroker } from '../cli/embedded-broker.ts';
import { scratch } from '../support/mosquitto.ts';
import { runCommand } from '../support/run-command.ts';

const TOOLS = { pub, sub, rr };
const SECRET = 'S3CRET';

/** Options that wait for ever, ask a person, read what is not the tool's, or make a run of another tool's tests slow. */
const LEFT_OUT: readonly string[] = ['reconnect', 'maxReconnects', 'passwordFd', 'host', 'port', 'srv', 'bindAddress'];

/** Words that mean something to one option or another, and some that never do. */
const WORDS: readonly string[] = [
  ...['', ' ', 'a', '0', '-1', '1', '5', '1e9', '99999999999', '0x10', 'ÿ', '\ud800', 'x'.repeat(70_000)],
  ...['\u001b[2J\u009b', 'a\nb', '%', '%5', '%J%x%p', '%.3:x', '@', '\\', '\\e', 'a/b', '+/#', 'a#', '$share/g/a', '/'],
  ...['payload > 1', '/(a+)+$/', '/(/', '"', 'payload.a.b == null &&', '{"topic":"a","payload":"b"}', 'zz', 'SGk='],
  ...['hex', 'json', 'cbor', 'msgpack', 'base64', '5', '2.0', 'mqttv31', 'publish', 'connect', 'will', 'user-property'],
  ...['topic-alias', 'content-type', 'session-expiry-interval', 'a=b', '+=b/+', 'max', 'bash', 'never', 'tlsv1.3'],
  ...['mqtt://127.0.0.1:1/t', 'ws://[::1]/t', 'socks5h://127.0.0.1:1', '__proto__', 'constructor', '--', '-t'],
];

/** Values that are a secret, and URLs with one in them. */
const SECRETS: readonly string[] = [SECRET, `\u001b${SECRET}`, `=${SECRET}\u009b`];
const URLS: readonly string[] = [
  ...[`mqtt://u:${SECRET}@127.0.0.1:1/t`, `mqtt://u:${SECRET}/t`, `ws://u:${SECRET}@/`, `mqtts://u:${SECRET}/@h/t`],
  ...[`socks5h://u:${SECRET}@127.0.0.1:1`, `socks5h://u:${SECRET}`, `u:${SECRET}@h`, `http://u:${SECRET}`],
];

/** Options whose files are written to: theirs are in the folder of the test. */
const WRITTEN: readonly string[] = ['record', 'spool', 'tlsKeylog'];
const FILES: readonly string[] = ['', '/', '/file', '/file/file', '/nope/file', '/\u001b[2J', `/${'x'.repeat(5000)}`];

/** An option with its words. */
function given(row: OptionRow): fc.Arbitrary<readonly string[]> {
  const name = fc.constantFrom(...row.names);
  if (row.kind.switch) return name.map((text) => [text]);
  if (['url', 'proxy'].includes(row.key)) return fc.tuple(name, fc.constantFrom(...URLS));
  if (row.mask !== undefined && row.key !== 'properties') return fc.tuple(name, fc.constantFrom(...SECRETS));
  if (WRITTEN.includes(row.key)) return fc.tuple(name, fc.constantFrom(...FILES));
  if (row.key === 'repeatDelay') return fc.tuple(name, fc.constantFrom('0', '-1', 'x', '0.001'));
  const [most, least] = row.key === 'properties' ? [4, 2] : [1, 1];
  const words = fc.array(fc.constantFrom(...WORDS), { minLength: least, maxLength: most });
  return fc.tuple(name, words).map(([text, values]) => [text, ...values]);
}

/** Most command lines that are made by chance alone go no further than their first fault: these have what each tool needs. */
const NEEDED: Readonly<Record<keyof typeof TOOLS, readonly (readonly string[])[]>> = {
  pub: [['-t', 'a', '-m', 'b'], ['-t', 'a', '-l'], ['--json-lines'], ['-t', 'a', '-s'], []],
  sub: [['-t', 'a'], ['-t', 'a', '-v', '-W', '1'], []],
  rr: [['-t', 'a', '-m', 'b', '-e', 'c'], []],
};

const INPUTS: readonly Buffer[] = ['', 'a\nb', '{"topic":"a","payload":"b"}\n[', '\u001b[2J\n\n"', '7'].map((text) =>
  Buffer.from(text),
);

/** What the server answers to the first bytes, and to those that follow before it closes; nothing closes at once. */
const ANSWERS: readonly (readonly [string, string])[] = [
  ['', ''],
  ['20020000', ''],
  ['2003000000', ''],
  ['20020005', ''],
  ['20020000', '9003000100'],
  ['2003000000', '400400010087'],
  ['20020000', 'ffffffffffffff'],
  ['2003000000', 'e003961f00'],
  ['485454502f312e3120343034201b5b324a0d0a0d0a', ''],
  ['150301000202461b', ''],
];

describe('any command line', () => {
  for (const tool of ['pub', 'sub', 'rr'] as const) {
    it(`mqtt-${tool}`, async (context) => {
      let [first, later] = ANSWERS[0]!;
      const seen = new WeakSet();
      const port = await falseBroker(context, (chunk, socket) => {
        const bytes = seen.has(socket) ? later : first;
        seen.add(socket);
        if (bytes === '') socket.destroy();
        else socket.write(Buffer.from(bytes, 'hex'));
        // Half an answer to a TLS handshake or an HTTP request would be waited for.
        if (bytes === later || chunk[0] !== 0x10) socket.end();
      });
      const folder = scratch(context);
      const rows = optionsOf(tool).filter(({ key }) => !LEFT_OUT.includes(key));
      const option = fc.constantFrom(...rows).chain(given);
      const line = fc.tuple(
        fc.constantFrom(...NEEDED[tool]),
        fc.array(option, { maxLength: 4 }),
        fc.constantFrom(...INPUTS),
        fc.constantFrom(...ANSWERS),
      );
      const where = ['-h', '127.0.0.1', '-p', String(port)];
      await fc.assert(
        fc.asyncProperty(line, async ([needed, options, input, answer]) => {
          [first, later] = answer;
          const files = options.flat().map((word) => word.replace(/^\/(?!\()/, `${folder}${path.sep}`));
          const argv = [...where, ...needed, ...files];
          const endless = tool === 'sub' || argv.some((word) => ['-l', '--stdin-line', '--replay'].includes(word));
          if (endless || argv.includes('--json-lines')) argv.push('--max-reconnects', '0');
          const { code, stdout, stderr } = await runCommand(TOOLS[tool], argv, input);
          assert.ok(Number.isInteger(code) && code >= 0 && code < 256);
          assert.doesNotMatch(stderr, /[^\P{Cc}\n\t]|\n {4}at /u);
          assert.ok(!(stdout + stderr).includes(SECRET), stdout + stderr);
          assert.ok(code === 0 || stdout + stderr !== '' || argv.includes('--quiet'));
        }),
        { numRuns: 150 },
      );
    });
  }
});
