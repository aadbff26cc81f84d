import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { runTool } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { scratch } from '../support/mosquitto.ts';
import { ACCEPTED, embeddedBroker, falseBroker, Observer } from './embedded-broker.ts';

/** Lines with the made-up client id replaced. */
const lines = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/mosq-\w{18}/, 'ID'));

describe('mqtt-pub', () => {
  it('publishes a text, nothing, a file and standard input', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const file = path.join(scratch(context), 'payload');
    const bytes = Buffer.from([0, 0xff, 0x0a, 0xc3]);
    writeFileSync(file, bytes);
    for (const [source, stdin] of [
      [['-m', 'grün'], ''],
      [['-m', ''], ''],
      [['-m', '--help'], ''],
      [['-n'], ''],
      [['-f', file], ''],
      [['-s'], 'a\nb\n'],
    ] as const) {
      const result = await runTool('mqtt-pub', [...where, '-t', 'a/b', ...source], { stdin });
      assert.deepEqual(result, { code: 0, stdout: '', stderr: '' });
    }
    const messages = await observer.seen(6);
    assert.deepEqual(
      messages.map((message) => message.payload),
      [Buffer.from('grün'), Buffer.alloc(0), Buffer.from('--help'), Buffer.alloc(0), bytes, Buffer.from('a\nb\n')],
    );
    assert.ok(messages.every((message) => message.topic === 'a/b' && message.qos === 0 && !message.retain));
  });

  it('publishes a message for each line', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const expected = Array.from({ length: 5000 }, (_, i) => `line ${i}`);
    for (const qos of ['0', '1', '2']) {
      observer.messages.length = 0;
      const stdin = `${expected.join('\n')}\n\nlast`;
      const result = await runTool('mqtt-pub', [...where, '-t', 'lines', '-l', '-q', qos], { stdin });
      assert.deepEqual(result, { code: 0, stdout: '', stderr: '' });
      const messages = await observer.seen(expected.length + 2);
      assert.deepEqual(observer.payloads, [...expected, '', 'last']);
      assert.ok(messages.every((message) => message.qos === Number(qos)));
    }
    assert.equal((await runTool('mqtt-pub', [...where, '-t', 'lines', '-l'], { stdin: '' })).code, 0);
  });

  it('shows every packet with -d', async (context) => {
    const { where } = await embeddedBroker(context);
    const once = await runTool('mqtt-pub', [...where, '-t', 't', '-m', 'hello', '-d', '-q', '2']);
    assert.deepEqual(lines(once.stdout), [
      'Client ID sending CONNECT',
      'Client ID received CONNACK (0)',
      "Client ID sending PUBLISH (d0, q2, r0, m1, 't', ... (5 bytes))",
      'Client ID received PUBREC (Mid: 1)',
      'Client ID sending PUBREL (m1)',
      'Client ID received PUBCOMP (Mid: 1, RC:0)',
      'Client ID sending DISCONNECT',
    ]);
    const twice = await runTool('mqtt-pub', [
      ...where,
      ...['-i', 'me', '-t', 't', '-n', '-r', '-d', '-q', '1', '--repeat', '2', '--repeat-delay', '0.01'],
    ]);
    assert.deepEqual(lines(twice.stdout), [
      'Client me sending CONNECT',
      'Client me received CONNACK (0)',
      "Client me sending PUBLISH (d0, q1, r1, m1, 't', ... (0 bytes))",
      'Client me received PUBACK (Mid: 1, RC:0)',
      "Client me sending PUBLISH (d0, q1, r1, m2, 't', ... (0 bytes))",
      'Client me received PUBACK (Mid: 2, RC:0)',
      'Client me sending DISCONNECT',
    ]);
    assert.equal(once.stderr + twice.stderr, '');
  });

  it('repeats', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const result = await runTool('mqtt-pub', [...where, '-t', 't', '-m', 'x', '--repeat', '2500']);
    assert.equal(result.code, 0);
    assert.equal((await observer.seen(2500)).length, 2500);
  });

  it('sets flags and properties', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const properties = ['content-type', 'text/plain', 'user-property', 'k 1', 'v', 'user-property', 'k2', ''];
    const given = ['-D', 'publish', ...properties.slice(0, 2), '-D', 'publish', ...properties.slice(2, 5)];
    const more = ['-D', 'publish', ...properties.slice(5), '-D', 'publish', 'message-expiry-interval', '600'];
    const result = await runTool('mqtt-pub', [...where, '-t', 't', '-m', 'x', '-r', '-q', '1', ...given, ...more]);
    assert.deepEqual(result, { code: 0, stdout: '', stderr: '' });
    const [message] = await observer.seen(1);
    assert.equal(message?.retain, true);
    assert.equal(message?.qos, 1);
    assert.equal(message?.properties.contentType, 'text/plain');
    assert.deepEqual(message?.properties.userProperties, [
      ['k 1', 'v'],
      ['k2', ''],
    ]);
    assert.equal(message?.properties.messageExpiryInterval, 600);
  });

  it('tells a refusal as Mosquitto does, with its exit code', async (context) => {
    const { where } = await embeddedBroker(context);
    const args = [...where, '-t', 't', '-m', 'x', '-u', 'nobody', '-P', 'secret'];
    const old = await runTool('mqtt-pub', [...args, '-d']);
    assert.equal(old.code, 5);
    assert.deepEqual(lines(old.stdout), ['Client ID sending CONNECT', 'Client ID received CONNACK (5)']);
    assert.equal(
      old.stderr,
      'Connection error: Connection Refused: not authorised.\nError: The connection was refused.\n',
    );
    const current = await runTool('mqtt-pub', [...args, '-V', '5']);
    assert.deepEqual(current, {
      code: 135,
      stdout: '',
      stderr: 'Connection error: Not authorized\nThe broker says: Not authorized to connect.\n',
    });
    assert.deepEqual(await runTool('mqtt-pub', [...args, '--quiet']), { code: 5, stdout: '', stderr: '' });
  });

  it('warns of a message that the broker did not take, where it can know', async (context) => {
    const { where } = await embeddedBroker(context);
    const args = [...where, '-t', 'denied/t', '-l'];
    const stdin = 'a\nb\n';
    for (const qos of ['1', '2']) {
      const told = await runTool('mqtt-pub', [...args, '-V', '5', '-q', qos], { stdin });
      const words = "The broker says: Not authorized to publish to 'denied/t'.\n";
      const stderr = [1, 2].map((id) => `Warning: Publish ${id} failed: Not authorized.\n${words}`).join('');
      assert.deepEqual(told, { code: 0, stdout: '', stderr });
    }
    assert.deepEqual(await runTool('mqtt-pub', [...args, '-q', '1'], { stdin }), { code: 0, stdout: '', stderr: '' });
    // With the trace, the broker's words are said once.
    const traced = await runTool('mqtt-pub', [...where, '-t', 'denied/t', '-m', 'x', '-V', '5', '-q', '1', '-d']);
    assert.equal(traced.stderr, 'Warning: Publish 1 failed: Not authorized.\n');
    assert.match(traced.stdout, /received PUBACK \(Mid: 1, RC:135\)\nThe broker says: /);
  });

  it('ends with 135 for --fail-on-denied where the broker refuses messages, once all are sent', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port);
    const args = [...where, '-V', '5', '-q', '1', '--fail-on-denied'];
    const stdin = 'a\nb\n';
    const lines = await runTool('mqtt-pub', [...args, '-t', 'denied/t', '-l'], { stdin });
    assert.equal(lines.code, 135);
    assert.match(lines.stderr, /Warning: Publish 2 failed: .*\n.*\nError: The broker refused 2 of 2 messages\.\n$/);
    const single = await runTool('mqtt-pub', [...args, '-t', 'denied/t', '-m', 'x']);
    assert.equal(single.code, 135);
    assert.doesNotMatch(single.stderr, /Error/);
    assert.deepEqual(await runTool('mqtt-pub', [...args, '-t', 't', '-l'], { stdin }), {
      code: 0,
      stdout: '',
      stderr: '',
    });
    await observer.seen(2);
    assert.deepEqual(observer.payloads, ['a', 'b']);
    // Only MQTT 5 tells of it, and not at QoS 0.
    const plain = [...where, '-t', 'denied/t', '-m', 'x', '--fail-on-denied'];
    assert.equal((await runTool('mqtt-pub', [...plain, '-q', '1'])).code, 135);
    for (const [words, what, way] of [
      [[], 'of QoS 0', 'use -q 1 or 2'],
      [['-q', '1', '-V', '311'], 'before MQTT 5', 'leave -V out'],
    ] as const) {
      assert.deepEqual(await runTool('mqtt-pub', [...plain, ...words]), {
        code: 0,
        stdout: '',
        stderr: `Warning: No broker tells that it refuses a message ${what}, so --fail-on-denied may not notice: ${way}.\n`,
      });
    }
    // A broker that closes the connection for it names its reason in MQTT 5 only.
    const closing = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
      else socket.end(Buffer.from([0xe0, 2, 0x87, 0]));
    });
    const message = ['-h', '127.0.0.1', '-p', String(closing), '-V', '5', '-t', 't', '-m', 'x', '-q', '1'];
    const closed = await runTool('mqtt-pub', [...message, '--fail-on-denied']);
    assert.equal(closed.code, 135);
    assert.match(closed.stderr, /^Error: The broker closed the connection: Not authorized\.\nThis client may not /);
    assert.equal((await runTool('mqtt-pub', message)).code, 7);
  });

  it('says why it cannot connect', async (context) => {
    const closed = String(await freePort());
    const message = ['-t', 't', '-m', 'x'];
    const seen = async (...where: string[]): Promise<[code: number | null, first: string, detail: string]> => {
      const { code, stdout, stderr } = await runTool('mqtt-pub', [...where, ...message]);
      assert.equal(stdout, '');
      const [first = '', ...details] = stderr.trimEnd().split('\n');
      return [code, first, details.join('\n')];
    };
    const nobody = await seen('-p', closed);
    assert.deepEqual(nobody.slice(0, 2), [1, 'Error: Connection refused']);
    assert.match(
      nobody[2],
      new RegExp(`at localhost:${closed} \\(tried 127\\.0\\.0\\.1:${closed}.*\\): the broker does not run`),
    );
    const unknown = await seen('-h', 'no-such-host.invalid');
    assert.deepEqual(unknown.slice(0, 2), [1, 'Unable to connect (Lookup error).']);
    assert.match(unknown[2], /"no-such-host\.invalid"/);
    assert.deepEqual(await seen('--unix', '/no/such/socket'), [
      1,
      'Error: No such file or directory',
      'There is no socket /no/such/socket: the broker does not run, or listens elsewhere.',
    ]);
    const silent = await falseBroker(context, (_chunk, socket) => socket.end());
    const lost = await seen('-h', '127.0.0.1', '-p', String(silent));
    assert.deepEqual(lost.slice(0, 2), [7, 'Error: The connection was lost.']);
    assert.match(lost[2], /closed the connection without an answer: .*expect TLS on this port/);
    const noise = await falseBroker(context, (_chunk, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    assert.deepEqual(await seen('-h', '127.0.0.1', '-p', String(noise)), [
      2,
      'Error: A network protocol error occurred when communicating with the broker.',
      `What answers at 127.0.0.1:${noise} speaks no MQTT: it looks like a web server ("HTTP/1.1 400 Bad Request"). If it is a broker, try WebSocket (--ws).`,
    ]);
  });

  it('ends with code 7 where the connection is lost before the acknowledgement', async (context) => {
    const port = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) socket.write(ACCEPTED);
      else socket.destroy();
    });
    const result = await runTool('mqtt-pub', ['-h', '127.0.0.1', '-p', String(port), '-t', 't', '-m', 'x', '-q', '1']);
    assert.deepEqual(result, { code: 7, stdout: '', stderr: 'Error: The connection was lost.\n' });
  });

  it('ends with code 7 where the other side closes before a large message has left', async (context) => {
    const file = path.join(scratch(context), 'large');
    writeFileSync(file, '');
    // More than the buffers of two sockets take.
    truncateSync(file, 64 * 1024 * 1024);
    const { where } = await embeddedBroker(context);
    const lost = { code: 7, stdout: '', stderr: 'Error: The connection was lost.\n' };
    assert.deepEqual(await runTool('mqtt-pub', [...where, '-t', 't', '-f', file]), lost);
    for (const [version, connack] of [
      ['31', ACCEPTED],
      ['311', ACCEPTED],
      ['5', Buffer.from([0x20, 3, 0, 0, 0])],
    ] as const) {
      const port = await falseBroker(context, (_chunk, socket) => socket.pause().end(connack));
      const result = await runTool('mqtt-pub', ['-p', String(port), '-V', `mqttv${version}`, '-t', 't', '-f', file]);
      assert.deepEqual(result, lost, version);
    }
  });

  it('ends with code 0 where a large message arrived', async (context) => {
    const file = path.join(scratch(context), 'large');
    const size = 10_000_000;
    writeFileSync(file, Buffer.alloc(size, 'x'));
    const { port, where } = await embeddedBroker(context, 0, { global: { maxPacketSize: 2 * size } });
    const observer = await Observer.of(context, port);
    for (const version of ['311', '5']) {
      const result = await runTool('mqtt-pub', [...where, '-V', `mqttv${version}`, '-t', 't', '-f', file]);
      assert.deepEqual(result, { code: 0, stdout: '', stderr: '' }, version);
    }
    assert.deepEqual(
      (await observer.seen(2)).map(({ payload }) => payload.length),
      [size, size],
    );
  });

  it('finds a broker at localhost that listens on ::1 alone', async (context) => {
    const addresses = await lookup('localhost', { all: true });
    if (!addresses.some(({ address }) => address === '::1')) {
      context.skip('localhost is not ::1 on this machine');
      return;
    }
    const { port } = await embeddedBroker(context, 0, { listeners: [{ host: '::1', port: 0 }] });
    const result = await runTool('mqtt-pub', ['-h', 'localhost', '-p', String(port), '-t', 'a', '-m', 'b', '-q', '1']);
    assert.deepEqual(result, { code: 0, stdout: '', stderr: '' });
  });

  it('refuses a payload before it connects', async () => {
    const nowhere = ['-p', String(await freePort()), '-t', 't'];
    const missing = await runTool('mqtt-pub', [...nowhere, '-f', '/no/such/file']);
    assert.equal(missing.code, 1);
    assert.equal(
      missing.stderr,
      'Error: Unable to open file "/no/such/file".\n' +
        'Error loading input file "/no/such/file".\nNo such file or directory.\n',
    );
    assert.deepEqual(await runTool('mqtt-pub', [...nowhere, '-s']), {
      code: 1,
      stdout: '',
      stderr: 'Error: Zero length input.\nError loading input from stdin.\n',
    });
  });

  it('obeys the largest packet that the broker takes', async (context) => {
    const { where } = await embeddedBroker(context, 0, { global: { maxPacketSize: 100 } });
    for (const qos of ['0', '1', '2']) {
      const args = [...where, '-V', '5', '-t', 't', '-m', 'x'.repeat(200), '-q', qos];
      const result = await runTool('mqtt-pub', args);
      assert.equal(result.code, 25);
      assert.match(result.stderr, /^Error: A packet of \d+ bytes is larger than the 100 that the broker takes\.\n$/);
    }
  });
});
