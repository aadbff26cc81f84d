// mqtt-pub -l --spool: lines that outlive the broker's absence and the tool's end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { main as pub } from '../../src/cli/commands/pub.ts';
import { freePort } from '../support/free-port.ts';
import { scratch } from '../support/mosquitto.ts';
import { built, finish } from '../support/process.ts';
import { Running, runCommand } from '../support/run-command.ts';
import { ACCEPTED, embeddedBroker, falseBroker, Observer } from './embedded-broker.ts';

const kept = (count: number, file: string): string =>
  `${count === 1 ? '1 line is' : `${count} lines are`} kept in ${file} and will be sent by the next run with it.\n`;

const numbers = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => String(from + i));

describe('mqtt-pub -l --spool', { concurrency: true }, () => {
  it('keeps lines while the broker is away, and sends them first, as they were meant', async (context) => {
    const file = path.join(scratch(context), 'spool');
    const port = await freePort();
    const where = ['-h', '127.0.0.1', '-p', String(port)];
    const away = await runCommand(pub, [...where, '-t', 'old', '-q', '2', '-r', '-l', '--spool', file], 'a\nb');
    const cause =
      'Error: Connection refused\n' +
      `Nothing accepts connections at 127.0.0.1:${port}: the broker does not run, or uses another port (-p).\n`;
    assert.deepEqual(away, { code: 75, stdout: '', stderr: `${cause}${kept(2, file)}` });
    const more = await runCommand(
      pub,
      [...[...where, '-t', 'mid', '-l', '--spool', file, '-D', 'publish', 'content-type', 'x']],
      'c\n',
    );
    assert.equal(more.stderr, `${cause}${kept(3, file)}`);
    await embeddedBroker(context, port);
    const observer = await Observer.of(context, port);
    const sent = await runCommand(pub, [...where, '-V', '5', '-t', 'new', '-q', '1', '-l', '--spool', file], 'd\n');
    assert.deepEqual(sent, { code: 0, stdout: '', stderr: '' });
    const messages = await observer.seen(4);
    assert.deepEqual(
      messages.map(({ topic, payload, qos, retain, properties }) => [
        ...[topic, payload.toString(), qos, retain, properties.contentType],
      ]),
      [
        ['old', 'a', 2, true, undefined],
        ['old', 'b', 2, true, undefined],
        ['mid', 'c', 0, false, 'x'],
        ['new', 'd', 1, false, undefined],
      ],
    );
    assert.equal(statSync(file).size, 0);
  });

  it('takes lines before the broker is there, while it is away and after it is back', async (context) => {
    const file = path.join(scratch(context), 'spool');
    const port = await freePort();
    const argv = ['-h', '127.0.0.1', '-p', String(port), '-t', 't', '-q', '1', '-l', '--spool', file, '--reconnect'];
    const running = new Running(pub, argv);
    await running.seen('trying again', 'stderr');
    running.stdin.write('1\n2\n');
    const first = await embeddedBroker(context, port);
    const seen = await Observer.of(context, port);
    await seen.seen(2);
    await first.broker.stop();
    running.stdin.write('3\n');
    await running.seen('The connection was lost', 'stderr');
    running.stdin.end('4\n5\n');
    await embeddedBroker(context, port);
    const again = await Observer.of(context, port);
    assert.equal(await running.code, 0);
    await again.seen(3);
    assert.deepEqual([...seen.payloads, ...again.payloads], numbers(1, 5));
    assert.equal(statSync(file).size, 0);
  });

  it('sends many lines of every QoS in their order', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const file = path.join(scratch(context), 'spool');
    const lines = numbers(0, 5_000);
    for (const qos of ['0', '1', '2']) {
      const observer = await Observer.of(context, port, `many/${qos}`);
      const argv = [...where, '-t', `many/${qos}`, '-q', qos, '-l', '--spool', file];
      assert.deepEqual(await runCommand(pub, argv, lines.join('\n')), { code: 0, stdout: '', stderr: '' });
      await observer.seen(lines.length);
      assert.deepEqual(observer.payloads, lines);
    }
  });

  it('sends a line of QoS 0 again that a lost connection may have taken with it, and none that left', async (context) => {
    const file = path.join(scratch(context), 'spool');
    let connections = 0;
    const topics: string[] = [];
    const port = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) {
        connections += 1;
        socket.write(ACCEPTED);
        return;
      }
      if (chunk[0] === 0x30) topics.push(chunk.toString('latin1', 5, 6));
      if (connections === 1) socket.destroy();
    });
    const running = new Running(pub, ['-p', String(port), '-t', 'x', '-l', '--spool', file, '--reconnect']);
    running.stdin.write('a\n');
    await running.seen('The connection was lost', 'stderr');
    running.stdin.end('b\n');
    assert.equal(await running.code, 0);
    assert.deepEqual(topics, ['a', 'b']);
  });

  it('tells of a refusal and what is kept; passes over what the broker says no to or is too large', async (context) => {
    const file = path.join(scratch(context), 'spool');
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const argv = [...where, '-t', 't', '-l', '--spool', file];
    const waiting = new Running(pub, [...argv, '-u', 'nobody', '-P', 'x']);
    waiting.stdin.write('kept\n');
    assert.deepEqual(await waiting.result(), {
      code: 75,
      stdout: '',
      stderr: `Connection error: Connection Refused: not authorised.\n${kept(1, file)}`,
    });
    const denied = await runCommand(
      pub,
      [...where, '-V', '5', '-q', '1', '-t', 'denied/x', '-l', '--spool', file],
      'x\n',
    );
    assert.deepEqual(denied, {
      code: 0,
      stdout: '',
      stderr: "Warning: Publish 1 failed: Not authorized.\nThe broker says: Not authorized to publish to 'denied/x'.\n",
    });
    const loud = ['-V', '5', '-q', '1', '-t', 'denied/x', '-l', '--spool', file, '--fail-on-denied'];
    assert.equal((await runCommand(pub, [...where, ...loud], 'x\n')).code, 135);
    await observer.seen(1);
    assert.deepEqual(observer.payloads, ['kept']);
    // CONNACK of MQTT 5 with a maximum packet size of 40.
    const small = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) socket.write(Buffer.from([0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 40]));
    });
    const lines = `${'x'.repeat(100)}\nshort\n`;
    const large = await runCommand(pub, ['-p', String(small), '-V', '5', '-t', 't', '-l', '--spool', file], lines);
    assert.deepEqual(large, {
      code: 25,
      stdout: '',
      stderr: "Warning: A line for 't' is too large for the broker, and left out.\n",
    });
    assert.equal(statSync(file).size, 0);
  });

  it('keeps what payloads stand for, up to a line that stands for none', async (context) => {
    const file = path.join(scratch(context), 'spool');
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const argv = ['-t', 't', '-l', '--spool', file, '--payload-format', 'hex'];
    const bad = await runCommand(pub, [...where, ...argv], '6162\n63\nxyz\n64\n');
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /^Error: Line 3 of standard input is not hexadecimal/);
    await observer.seen(2);
    assert.deepEqual(observer.payloads, ['ab', 'c']);
    const away = await runCommand(pub, ['-p', String(await freePort()), ...argv], '65\nxyz\n');
    assert.equal(away.code, 75);
    assert.match(
      away.stderr,
      /^Error: Line 2 of .*\nError: Connection refused\nNothing accepts .*\n1 line is kept in /,
    );
  });

  it('refuses what it can not use', async (context) => {
    const folder = scratch(context);
    const file = path.join(folder, 'notes');
    writeFileSync(file, 'notes');
    const other = await runCommand(pub, ['-t', 't', '-l', '--spool', file], 'x\n');
    assert.deepEqual(other, {
      code: 1,
      stdout: '',
      stderr: `Error: "${file}" is not a spool of mqtt-pub; it is left as it is.\n`,
    });
    const single = await runCommand(pub, ['-t', 't', '-m', 'x', '--spool', file]);
    assert.equal(single.code, 1);
    assert.match(single.stderr, /^Error: '--spool' keeps lines of standard input: it needs '-l'\.\n/);
  });

  it('ends with a sentence when the disk is full, and keeps what was written before', async (context) => {
    const file = path.join(scratch(context), 'spool');
    const port = await freePort();
    // A file must not grow beyond 64 KiB here, which is met as a full disk is.
    const command = `(seq 1 1000; sleep 0.2; seq 1001 100000) | (ulimit -f 64; exec "$0" "$@")`;
    const argv = [process.execPath, built('mqtt-pub'), '-p', String(port), '-t', 't', '-l', '--spool', file];
    const full = await finish('bash', ['-c', command, ...argv]);
    assert.equal(full.code, 1);
    assert.match(
      full.stderr,
      /^Error: The spool ".*" can't be written: File too large\.\nLine (\d+) of standard input and those behind it are not kept; (\d+) lines are in it\.\n$/,
    );
    const [, line = '', count = ''] = /Line (\d+).*; (\d+)/.exec(full.stderr) ?? [];
    assert.equal(Number(line), Number(count) + 1);
    await embeddedBroker(context, port);
    const observer = await Observer.of(context, port);
    assert.equal((await runCommand(pub, ['-p', String(port), '-t', 't', '-l', '--spool', file])).code, 0);
    await observer.seen(Number(count));
    assert.deepEqual(observer.payloads, numbers(1, Number(count)));
  });

  it('loses no line to kill -9: what came is gapless, and what is in the file comes with the next run', async (context) => {
    const file = path.join(scratch(context), 'spool');
    const port = await freePort();
    const argv = [built('mqtt-pub'), '-p', String(port), '-t', 't', '-q', '1', '-l', '--spool', file];
    let observer: Observer | null = null;
    let next = 1;
    for (const bytes of [1, 60_000, 1, 100_000]) {
      const child = spawn(process.execPath, argv, { stdio: ['pipe', 'ignore', 'ignore'] });
      child.stdin.on('error', () => undefined);
      child.stdin.write(`${numbers(next, 8_000).join('\n')}\n`);
      // Half of the rounds find a broker.
      const size = (): number => {
        try {
          return statSync(file).size;
        } catch {
          return 0;
        }
      };
      const seen = observer?.messages.length ?? 0;
      while (size() < bytes && (observer?.messages.length ?? 0) - seen < bytes / 20) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
      if (observer === null) {
        await embeddedBroker(context, port);
        observer = await Observer.of(context, port);
      }
      const lines = new Set(
        readFileSync(file, 'latin1')
          .match(/t\0(\d+)/g)
          ?.map((text) => Number(text.slice(2))),
      );
      const before = await runCommand(pub, ['-p', String(port), '-t', 't', '-q', '1', '-l', '--spool', file]);
      assert.deepEqual(before, { code: 0, stdout: '', stderr: '' });
      const came: number[] = [...new Set(observer.payloads.map(Number))];
      assert.deepEqual(
        came,
        Array.from({ length: came.length }, (_, i) => i + 1),
      );
      for (const line of lines) assert.ok(line <= came.length, `line ${line} of the file did not come`);
      next = came.length + 1;
    }
  });
});
