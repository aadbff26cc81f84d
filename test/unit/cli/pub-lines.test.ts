import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { sendChecked } from '../../../src/cli/commands/pub-lines.ts';
import type { Publisher } from '../../../src/cli/commands/publisher.ts';
import type { Io } from '../../../src/cli/io.ts';
import { MAX_LINE } from '../../../src/cli/json-lines.ts';
import { UsageError } from '../../../src/cli/messages.ts';
import { parseArguments } from '../../../src/cli/parse.ts';

/** Sends standard input with these options; resolves to what was published, in order, `end` for the end, and the sentence. */
async function send(args: readonly string[], stdin: Iterable<Buffer>): Promise<string[]> {
  const { options } = parseArguments('pub', args);
  const done: string[] = [];
  const publisher = {
    publish: (payload: Buffer) => void done.push(payload.toString('latin1')),
    send: (topic: string, payload: Buffer, how: object) => void done.push(`${topic} ${payload} ${JSON.stringify(how)}`),
    drained: () => Promise.resolve(),
    end: async () => void done.push('end'),
  };
  try {
    await sendChecked(publisher as unknown as Publisher, options, { stdin: Readable.from(stdin) } as unknown as Io);
  } catch (error) {
    done.push((error as Error).message);
  }
  return done;
}

const text = (...lines: string[]): Buffer[] => [Buffer.from(lines.join('\n'))];

describe('lines that are checked', () => {
  it('have what they do not say from the options', async () => {
    const lines = text('{"payload":"x"}', '{"topic":"b","qos":0,"retain":false,"payload":null,"properties":{}}');
    assert.deepEqual(await send(['--json-lines', '-t', 'a', '-q', '2', '-r'], lines), [
      'a x {"qos":2,"retain":true,"properties":{}}',
      'b  {"qos":0,"retain":false,"properties":{}}',
      'end',
    ]);
  });

  it('have the properties of the options where they have none of that name', async () => {
    const given = ['-D', 'publish', 'content-type', 'a', '-D', 'publish', 'user-property', 'k', 'v'];
    const lines = text('{"payload":"","properties":{"user-properties":[{"x":"y"}],"message-expiry-interval":7}}');
    assert.deepEqual(await send(['--json-lines', '-t', 'a', ...given], lines), [
      'a  {"qos":0,"retain":false,"properties":{"contentType":"a","userProperties":[["x","y"]],"messageExpiryInterval":7}}',
      'end',
    ]);
  });

  it('end with the first that is too long', async () => {
    const piece = Buffer.alloc(1024 * 1024, ' ');
    function* endless(): Generator<Buffer> {
      yield Buffer.from('{"payload":"1"}\n\n');
      for (;;) yield piece;
    }
    const [first, ...rest] = await send(['--json-lines', '-t', 'a'], endless());
    assert.equal(first, 'a 1 {"qos":0,"retain":false,"properties":{}}');
    assert.deepEqual(rest, ['end', `Line 3 of standard input is longer than ${MAX_LINE} bytes.`]);
  });

  it('are payloads in a format', async () => {
    const args = ['-l', '-t', 'a', '--payload-format'];
    assert.deepEqual(await send([...args, 'hex'], text('41 42\r', '', '43', '4', '44')), [
      'AB',
      '',
      'C',
      'end',
      'Line 4 of standard input is not hexadecimal: 1 digit makes no whole bytes.',
    ]);
    assert.deepEqual(await send([...args, 'cbor'], text('"a"', '{"$x":', '1')), [
      '\x61a',
      'end',
      "Line 2 of standard input can't become CBOR: it ends too early at column 7.",
    ]);
  });
});

describe('options about forms', () => {
  for (const [tool, args, sentence] of [
    ['pub', ['--json-lines', '-m', 'x'], 'Only one type of message can be sent at once.'],
    ['pub', ['--json-lines', '--payload-format', 'hex'], 'cannot be combined with --json-lines'],
    ['sub', ['-t', 'a', '--json-lines', '-F', '%p'], 'cannot be combined with -F, -v'],
    ['sub', ['-t', 'a', '--json-lines', '-w'], 'cannot be combined with -F, -v, -w'],
    ['sub', ['-t', 'a', '--json-lines', '--payload-format', 'hex'], 'cannot be combined with --json-lines'],
    ['sub', ['-t', 'a', '--payload-format', 'xml'], "Invalid --payload-format 'xml'"],
    ['rr', ['--json-compat', '2'], "Invalid --json-compat '2'"],
  ] as const) {
    it(`are refused: ${tool} ${args.join(' ')}`, () => {
      assert.throws(
        () => parseArguments(tool, args),
        (error) => error instanceof UsageError && error.message.includes(sentence),
      );
    });
  }

  it('need no topic where the lines may have one', () => {
    assert.equal(parseArguments('pub', ['--json-lines']).options.topic, null);
  });
});
