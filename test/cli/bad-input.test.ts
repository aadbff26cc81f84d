// What people and scripts get wrong, and what the system does to them: streams that are closed, full, no files, or end early.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { main as pub } from '../../src/cli/commands/pub.ts';
import type { Io } from '../../src/cli/io.ts';
import { runTool } from '../support/cli.ts';
import { scratch } from '../support/mosquitto.ts';
import { makePipe } from '../support/pipe.ts';
import { built, finish } from '../support/process.ts';
import { embeddedBroker, Observer } from './embedded-broker.ts';

/** A tool with its arguments as a shell takes them. */
const command = (tool: string, words: readonly string[]): string =>
  [process.execPath, built(tool), ...words].map((word) => `'${word}'`).join(' ');

describe('bad input', () => {
  it('is answered by a sentence, a pointer to the usage and exit code 1', async () => {
    for (const [tool, words, sentence] of [
      ['mqtt-pub', ['-t', 'a', '-m', 'b', '--tpic', 'c'], "Unknown option '--tpic'.\nDid you mean '--topic'?"],
      ['mqtt-sub', ['-t', 'a', '-F', '50%'], 'Incomplete format specifier.'],
      ['mqtt-rr', ['-t', 'a'], 'All of topic, message, and response topic must be supplied.'],
    ] as const) {
      const stderr = `Error: ${sentence}\n\nUse '${tool} --help' to see usage.\n`;
      assert.deepEqual(await runTool(tool, words), { code: 1, stdout: '', stderr });
    }
  });

  it('is a directory as standard input, which is not an empty one', async () => {
    for (const source of ['-s', '-l', '--json-lines']) {
      const { stderr } = await finish('sh', ['-c', `${command('mqtt-pub', ['-t', 'a', '-p', '1', source])} </`]);
      // Only what is read before it is sent is read before there is a connection.
      if (source === '-s') assert.equal(stderr, 'Error: Unable to read standard input: it is a directory.\n');
      else assert.match(stderr, /^Error: Connection refused\n/);
    }
  });

  it('ends a stream of lines once those before it are sent and acknowledged', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    for (const source of ['-l', '--json-lines']) {
      observer.messages.length = 0;
      const lines = ['1', '2', '3'].map((text) => (source === '-l' ? `${text}\n` : `{"payload":"${text}"}\n`));
      const stdin = Readable.from(
        (function* () {
          yield Buffer.from(lines.join(''));
          throw Object.assign(new Error('the disk is gone'), { code: 'EIO' });
        })(),
        { objectMode: false },
      );
      const stdout = new PassThrough();
      const stderr = new PassThrough();
      const io = { stdin, stdout, stderr, env: {} } as unknown as Io;
      assert.equal(await pub([...where, '-t', 't', source, '-q', '1'], io), 1);
      assert.equal(String(stderr.read()), 'Error: Unable to read standard input: Input/output error.\n');
      await observer.seen(3);
      assert.deepEqual(observer.payloads, ['1', '2', '3']);
    }
  });

  it('may be closed streams', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const publish = command('mqtt-pub', [...where, '-t', 't', '-m', 'x', '-d']);
    const subscribe = command('mqtt-sub', [...where, '-t', 't', '-E']);
    const script = `(${publish}) <&- >&- 2>&-; a=$?; (${subscribe}) <&- >&- 2>&-; echo $a $?`;
    assert.deepEqual(await finish('sh', ['-c', script]), { code: 0, stdout: '0 0\n', stderr: '' });
    await observer.seen(1);
  });

  it('may be a pipe or a device instead of a file', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const pipe = makePipe(scratch(context));
    const reading = runTool('mqtt-pub', [...where, '-t', 't', '-f', pipe]);
    writeFileSync(pipe, 'through a pipe');
    assert.equal((await reading).code, 0);
    assert.equal((await runTool('mqtt-pub', [...where, '-t', 't', '-f', '/dev/null'])).code, 0);
    await observer.seen(2);
    assert.deepEqual(observer.payloads, ['through a pipe', '']);
  });

  it('may be a full disk for what is printed', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    broker.publish('t', 'hello', { retain: true });
    const script = `${command('mqtt-sub', [...where, '-t', 't'])} >/dev/full`;
    assert.deepEqual(await finish('sh', ['-c', script]), {
      code: 1,
      stdout: '',
      stderr: 'Error: The output is cut off: No space left on device.\n',
    });
  });

  it('may be a reader that has seen enough, whatever is printed', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    for (let i = 0; i < 200; i++) broker.publish(`r/${i}`, '0'.repeat(1000), { retain: true });
    const ticker = setInterval(() => broker.publish('live', '1'), 20);
    context.after(() => clearInterval(ticker));
    const codes = [['-d'], ['-F', '%j'], ['--json-lines'], ['-v']].map(async (form) => {
      const tool = command('mqtt-sub', [...where, '-t', 'r/#', '-t', 'live', ...form]);
      const { stdout, stderr } = await finish('sh', ['-c', `{ ${tool}; echo "exit $?" >&2; } | head -1`]);
      assert.equal(stdout.trimEnd().split('\n').length, 1);
      return stderr;
    });
    assert.deepEqual(await Promise.all(codes), Array(4).fill('exit 0\n'));
    const help = `{ ${command('mqtt-pub', ['--help'])}; echo "exit $?" >&2; } | head -1`;
    assert.equal((await finish('sh', ['-c', help])).stderr, 'exit 1\n');
  });
});
