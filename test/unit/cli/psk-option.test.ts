// --psk and --psk-identity.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectionOptions } from '../../../src/cli/connection.ts';
import { UsageError } from '../../../src/cli/messages.ts';
import { parseArguments } from '../../../src/cli/parse.ts';

const endpoint = (...words: string[]) =>
  connectionOptions('pub', parseArguments('pub', ['-t', 'a', '-n', ...words]).options, {}).endpoint;

describe('--psk', () => {
  it('turns TLS on, at port 8883', () => {
    const { kind, port, tls } = endpoint('--psk', '0AbC', '--psk-identity', 'tom');
    assert.deepEqual([kind, port, tls], ['tls', 8883, { psk: { identity: 'tom', key: Buffer.from([10, 188]) } }]);
    assert.equal(endpoint('--psk', 'ab', '--psk-identity', 'tom', '-p', '1', '--ws').kind, 'wss');
    assert.equal(endpoint('--psk', 'ab', '--psk-identity', 'tom', '--no-tls').kind, 'tcp');
    assert.equal(endpoint('--psk-identity', 'tom').kind, 'tcp');
  });

  it('an odd number of digits gets a zero in front', () => {
    assert.deepEqual(endpoint('--psk', 'abc', '--psk-identity', 'tom').tls?.psk?.key, Buffer.from([10, 188]));
  });

  it('wrong ones, with a sentence that does not show the key', () => {
    const digits = 'The key has to be hexadecimal digits, without 0x in front.';
    const identity = 'The identity has 1 to 128 bytes.';
    for (const [key, name, sentence] of [
      ['xyz', 'tom', digits],
      ['', 'tom', digits],
      ['0x12', 'tom', digits],
      ['ab'.repeat(257), 'tom', 'The key has at most 256 bytes.'],
      ['ab', '', identity],
      ['ab', 'ü'.repeat(65), identity],
    ] as const) {
      assert.throws(
        () => endpoint('--psk', key, '--psk-identity', name),
        new UsageError(`Problem setting TLS-PSK options.\n${sentence}`, 'nothing'),
      );
    }
  });

  it('needs an identity, and stands alone', () => {
    for (const [words, sentence] of [
      [['--psk', 'ab'], '--psk-identity required if --psk used.'],
      [['--psk', 'ab', '--cafile', 'x'], 'Only one of --psk or --cafile/--capath may be used at once.'],
      [
        ['--psk', 'ab', '--psk-identity', 'x', '--capath', 'x'],
        'Only one of --psk or --cafile/--capath may be used at once.',
      ],
    ] as const) {
      assert.throws(() => endpoint(...words), new UsageError(sentence));
    }
  });
});
