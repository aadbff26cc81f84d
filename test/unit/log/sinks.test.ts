import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { configureLogger, silentLogger } from '../../../src/log/logger.ts';
import { type BatchedLogSink, createLogSink, type LogDestination, type LogOptions } from '../../../src/log/sinks.ts';
import { isDatagramSocket } from '../../../src/log/syslog.ts';
import { printable } from '../../../src/util/printable.ts';

const TIME = 1_700_000_000_500;

function folderFor(test: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'log-'));
  test.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function optionsFor(...logDest: LogDestination[]): LogOptions {
  return { logDest, logTimestamp: true, logTimestampFormat: null, logFacility: null };
}

/** A sink into a file, and a way to read it. */
function fileSink(test: TestContext, options: Partial<LogOptions> = {}): { sink: BatchedLogSink; file: string } {
  const file = path.join(folderFor(test), 'broker.log');
  const sink = createLogSink({ ...optionsFor({ to: 'file', path: file }), ...options }, null);
  test.after(() => sink.close());
  return { sink, file };
}

const read = (file: string): string => readFileSync(file, 'utf8');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('lines', () => {
  it('start with the epoch, a format or nothing', (test) => {
    const cases: readonly (readonly [Partial<LogOptions>, string])[] = [
      [{}, '1700000000: hello\n'],
      [{ logTimestampFormat: '[%s]' }, '[1700000000]: hello\n'],
      [{ logTimestamp: false }, 'hello\n'],
    ];
    for (const [options, line] of cases) {
      const { sink, file } = fileSink(test, options);
      sink.write('notice', 'hello', TIME);
      sink.flush();
      assert.equal(read(file), line);
    }
  });

  it('follow the clock', (test) => {
    const { sink, file } = fileSink(test);
    sink.write('notice', 'a', TIME);
    sink.write('notice', 'b', TIME + 1000);
    sink.flush();
    assert.equal(read(file), '1700000000: a\n1700000001: b\n');
  });

  it('are cut at 1000 bytes, between characters', (test) => {
    const { sink, file } = fileSink(test);
    sink.write('notice', 'x'.repeat(2000), TIME);
    sink.write('notice', 'é'.repeat(2000), TIME);
    sink.write('notice', `x${'é'.repeat(2000)}`, TIME);
    sink.flush();
    const lines = read(file).split('\n').slice(0, 3);
    assert.deepEqual(
      lines.map((line) => Buffer.byteLength(line)),
      [1000, 1000, 999],
    );
    assert.ok(lines.every((line) => !line.includes('\uFFFD')));
  });

  it("can't be forged by control characters, and keep tabs", () => {
    assert.equal(printable('a\nb\r\u001b[2J\u0085\u2028\u007f'), 'a\\x0ab\\x0d\\x1b[2J\\x85\\x2028\\x7f');
    assert.equal(printable('\ttopic (QoS 1) é😀'), '\ttopic (QoS 1) é😀');
  });
});

describe('a sink', () => {
  it('writes once a loop turn, in order', async (test) => {
    const { sink, file } = fileSink(test);
    sink.write('notice', 'a', TIME);
    sink.write('error', 'b', TIME);
    assert.equal(read(file), '');
    await turn();
    assert.equal(read(file), '1700000000: a\n1700000000: b\n');
    sink.write('notice', 'c', TIME);
    await turn();
    assert.equal(read(file).split('\n').length, 4);
  });

  it('keeps a bounded number of lines', (test) => {
    const { sink, file } = fileSink(test);
    for (let count = 0; count < 1000; count++) sink.write('notice', 'a', TIME);
    assert.equal(read(file).split('\n').length, 1001);
  });

  it('appends to a file and opens it anew', (test) => {
    const { sink, file } = fileSink(test);
    sink.write('notice', 'a', TIME);
    sink.flush();
    renameSync(file, `${file}.1`);
    sink.write('notice', 'b', TIME);
    sink.reopen();
    sink.write('notice', 'c', TIME);
    sink.close();
    sink.write('notice', 'd', TIME);
    sink.flush();
    assert.equal(read(`${file}.1`), '1700000000: a\n1700000000: b\n');
    assert.equal(read(file), '1700000000: c\n');
    const again = createLogSink(optionsFor({ to: 'file', path: file }), null);
    again.write('notice', 'e', TIME);
    again.close();
    assert.equal(read(file), '1700000000: c\n1700000000: e\n');
  });

  it('keeps its file when it cannot be opened anew', (test) => {
    const { sink, file } = fileSink(test);
    const folder = path.dirname(file);
    renameSync(folder, `${folder}-moved`);
    assert.throws(() => sink.reopen(), { name: 'UnusableLog' });
    renameSync(`${folder}-moved`, folder);
    sink.write('notice', 'a', TIME);
    sink.flush();
    assert.equal(read(file), '1700000000: a\n');
  });

  it('tells that a file cannot be opened', () => {
    assert.throws(() => createLogSink(optionsFor({ to: 'file', path: '/nonexistent/log' }), null), {
      name: 'UnusableLog',
      destination: 'file /nonexistent/log',
      message:
        'Unable to open log file /nonexistent/log for writing: No such file or directory. ' +
        'Name another one in log_dest file, or see to its rights.',
    });
  });

  it('writes nothing without destinations', () => {
    const sink = createLogSink(optionsFor(), () => assert.fail());
    sink.write('error', 'a', TIME);
    sink.close();
  });

  it('serves a logger that has some types only', (test) => {
    const { sink, file } = fileSink(test, { logTimestamp: false });
    const log = silentLogger();
    configureLogger(log, new Set(['error']), sink);
    log.error?.('a');
    log.notice?.('b');
    sink.flush();
    assert.equal(read(file), 'a\n');
  });
});

describe('the destination topic', () => {
  it('gets each type on its topic, debug never', () => {
    const published: string[] = [];
    const sink = createLogSink(optionsFor({ to: 'topic' }), (topic, line) => published.push(`${topic} ${line}`));
    for (const type of ['error', 'warning', 'notice', 'information', 'subscribe', 'unsubscribe'] as const) {
      sink.write(type, type, TIME);
    }
    for (const type of ['debug', 'websockets', 'internal'] as const) sink.write(type, type, TIME);
    assert.deepEqual(published, []);
    sink.close();
    assert.deepEqual(published, [
      '$SYS/broker/log/E 1700000000: error',
      '$SYS/broker/log/W 1700000000: warning',
      '$SYS/broker/log/N 1700000000: notice',
      '$SYS/broker/log/I 1700000000: information',
      '$SYS/broker/log/M/subscribe 1700000000: subscribe',
      '$SYS/broker/log/M/unsubscribe 1700000000: unsubscribe',
    ]);
  });

  it('does not publish what publishing logs', (test) => {
    const file = path.join(folderFor(test), 'log');
    let count = 0;
    const sink = createLogSink(optionsFor({ to: 'topic' }, { to: 'file', path: file }), () => {
      count += 1;
      sink.write('notice', 'dropped', TIME);
    });
    sink.write('notice', 'a', TIME);
    sink.flush();
    sink.flush();
    sink.close();
    assert.equal(count, 1);
    assert.equal(read(file), '1700000000: a\n1700000000: dropped\n');
  });
});

describe('the standard streams', () => {
  it('get lines that wait when the process ends', async () => {
    const sinks = new URL('../../../src/log/sinks.js', import.meta.url).href;
    const program = `
      import { createLogSink } from ${JSON.stringify(sinks)};
      for (const to of ['stdout', 'stderr']) {
        const options = { logDest: [{ to }], logTimestamp: false, logTimestampFormat: null, logFacility: null };
        createLogSink(options, null).write('notice', to, 0);
      }
      process.exit(0);`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 30_000 });
    assert.deepEqual(await run, { stdout: 'stdout\n', stderr: 'stderr\n' });
  });
});

describe('the destination syslog', () => {
  it('sends facility, severity, program and text to a stream socket', async (test) => {
    const socket = path.join(folderFor(test), 'log');
    let received = '';
    const server = net.createServer();
    const ended = new Promise<void>((resolve) => {
      server.on('connection', (peer) => {
        peer.setEncoding('utf8').on('data', (text: string) => {
          received += text;
        });
        peer.on('end', resolve);
      });
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    test.after(() => server.close());
    const sink = createLogSink({ ...optionsFor({ to: 'syslog' }), logFacility: 2 }, null, 'broker', socket);
    sink.write('error', 'bad', TIME);
    sink.write('debug', 'fine', TIME);
    sink.close();
    await ended;
    const lines = received.split('\n');
    assert.match(lines[0] ?? '', new RegExp(`^<147>Nov 1[45] \\d\\d:\\d\\d:20 broker\\[${process.pid}\\]: bad$`));
    assert.match(lines[1] ?? '', /^<151>.*: fine$/);
    assert.equal(lines.length, 3);
  });

  it('is refused with a sentence where there is no socket', () => {
    assert.throws(() => createLogSink(optionsFor({ to: 'syslog' }), null, 'broker', '/nonexistent/log'), {
      name: 'UnusableLog',
      destination: 'syslog',
      message:
        'There is no syslog socket /nonexistent/log. Use log_dest stdout or stderr, which journald records, or log_dest file.',
    });
  });

  it('knows datagram sockets from the list of the system', () => {
    const list = [
      'Num       RefCount Protocol Flags    Type St Inode Path',
      '0000000000000000: 00000002 00000000 00000000 0002 01  1234 /run/systemd/journal/dev-log',
      '0000000000000000: 00000002 00000000 00010000 0001 01  1235 /run/stream socket',
      '0000000000000000: 00000003 00000000 00000000 0002 03  1236',
    ].join('\n');
    assert.equal(isDatagramSocket(list, '/run/systemd/journal/dev-log'), true);
    assert.equal(isDatagramSocket(list, '/run/stream socket'), false);
    assert.equal(isDatagramSocket(list, '/run/other'), false);
  });
});
