// The command line of mqtt-broker: what it starts, what it refuses, signals and the background.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { runTool } from '../support/cli.ts';
import { freePort, freePorts } from '../support/free-port.ts';
import { scratch } from '../support/mosquitto.ts';
import { built, finishBuilt, Program, type StartOptions } from '../support/process.ts';

const RUNNING = /mqtt-broker version \S+ running/;

const startBroker = (args: readonly string[], options: StartOptions = {}): Program =>
  new Program(process.execPath, [built('mqtt-broker'), ...args], options);

/** Starts a broker that the test's end stops, and waits until it runs. */
async function started(context: TestContext, args: readonly string[], cwd?: string): Promise<Program> {
  const broker = startBroker(args, cwd === undefined ? {} : { cwd });
  context.after(() => broker.stop());
  await broker.seen(RUNNING, 'stderr');
  return broker;
}

/** A configuration file in a folder of its own. */
function configured(context: TestContext, ...lines: string[]): { file: string; folder: string } {
  const folder = scratch(context);
  const file = path.join(folder, 'mosquitto.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return { file, folder };
}

/** Resolves once a port takes a connection. */
async function reachable(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}

/** Whether a process is there. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('starting', () => {
  it('-p may be repeated', async (t) => {
    const ports = await freePorts(2);
    await started(
      t,
      ports.flatMap((port) => ['-p', String(port)]),
    );
    for (const port of ports) await reachable(port);
  });

  it('-v logs everything, -q nothing, and -q wins', async (t) => {
    const [loud = 0, quiet = 0] = await freePorts(2);
    const broker = await started(t, ['-v', '-p', String(loud)]);
    await reachable(loud);
    await broker.seen(/New connection from 127\.0\.0\.1/, 'stderr');
    const silent = startBroker(['-q', '-v', '-p', String(quiet)]);
    t.after(() => silent.stop());
    // It says nothing, so its port must tell: an attempt that is refused is followed by another.
    for (;;) {
      const socket = connect(quiet, '127.0.0.1');
      const open = await new Promise((resolve) =>
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
      );
      socket.destroy();
      if (open) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { code, stdout, stderr } = await silent.stop();
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  });

  it('SIGINT and SIGTERM end it with code 0', async (t) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const broker = await started(t, ['-p', String(await freePort())]);
      broker.signal(signal);
      const { code, stderr } = await broker.ended;
      assert.equal(code, 0);
      assert.match(stderr, /mqtt-broker version \S+ terminating\n$/);
    }
  });

  it('SIGHUP reads the file again; SIGUSR1, SIGUSR2 and SIGPIPE do no harm', async (t) => {
    const [port = 0, second = 0] = await freePorts(2);
    const { file } = configured(t, `listener ${port} 127.0.0.1`);
    const broker = await started(t, ['-c', file]);
    for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) broker.signal(signal);
    writeFileSync(file, `listener ${port} 127.0.0.1\nlistener ${second} 127.0.0.1\n`);
    broker.signal('SIGHUP');
    await broker.seen(`Opening ipv4 listen socket on port ${second}.`, 'stderr');
    await reachable(port);
    assert.doesNotMatch(broker.stderr, /[Dd]ebugger/);
  });

  it('--tls-keylog makes its file, for the owner only', async (t) => {
    const file = path.join(scratch(t), 'keys');
    await started(t, ['--tls-keylog', file, '-p', String(await freePort())]);
    assert.equal(readFileSync(file, 'utf8'), '');
  });
});

describe('what prevents the start', () => {
  it('a port in use: exit code 1, and the port is named', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const { code, stderr } = await runTool('mqtt-broker', ['-p', String(address.port)]);
    assert.equal(code, 1);
    assert.ok(stderr.endsWith(`Error: Address already in use\nPort ${address.port} can't be opened.\n`), stderr);
  });

  it('a configuration that is not there, or bad: exit code 3', async (t) => {
    const { code, stderr } = await runTool('mqtt-broker', ['-c', '/nonexistent/conf']);
    assert.equal(code, 3);
    assert.match(stderr, /^Error: Unable to open config file \/nonexistent\/conf\.\n/);
    const { file } = configured(t, '# a comment', 'presistence true');
    const bad = await runTool('mqtt-broker', ['-c', file]);
    assert.equal(bad.code, 3);
    assert.match(bad.stderr, /^Error: Unknown configuration variable 'presistence'\.\n/);
    assert.ok(bad.stderr.endsWith(`Error found at ${file}:2.\n`), bad.stderr);
  });

  it('a pid file that can not be written: exit code 14, and nothing was touched', async (t) => {
    const { file, folder } = configured(
      t,
      'pid_file /nonexistent/pid',
      `listener ${await freePort()} 127.0.0.1`,
      'log_dest file log',
    );
    const { code, stderr } = await runTool('mqtt-broker', ['-c', file], { cwd: folder });
    assert.equal(code, 14);
    assert.equal(stderr, 'Error: Unable to write pid file /nonexistent/pid. No such file or directory.\n');
    assert.deepEqual(readdirSync(folder), ['mosquitto.conf']);
  });

  it('a log file that can not be opened, by name', async (t) => {
    const { file } = configured(t, `listener ${await freePort()} 127.0.0.1`, 'log_dest file /nonexistent/log');
    const { code, stderr } = await runTool('mqtt-broker', ['-c', file]);
    assert.deepEqual([code, stderr], [1, 'Error: Unable to open /nonexistent/log. No such file or directory.\n']);
  });

  it('a Unix socket, a host name and a syslog that are not there, by name', async (t) => {
    for (const [lines, sentence] of [
      [['listener 0 /nonexistent/socket'], /Error: Unable to open \/nonexistent\/socket\. Permission denied\.\n$/],
      [['listener 1883 no.such.invalid'], /Error: .+\nThe listener on no\.such\.invalid can't be opened\.\n$/],
      [[`listener ${await freePort()} 127.0.0.1`, 'log_dest syslog'], /^Error: .*\/dev\/log.* Use log_dest .+\.\n$/],
    ] as const) {
      const { code, stderr } = await runTool('mqtt-broker', ['-c', configured(t, ...lines).file]);
      assert.match(stderr, sentence);
      assert.equal(code, 1);
    }
  });

  for (const [args, sentence] of [
    [['-p', 'x'], "Error: Invalid port specified (x).\n\nUse 'mqtt-broker --help' to see usage.\n"],
    [
      Array.from({ length: 11 }, (_, i) => ['-p', String(i + 1)]).flat(),
      'Error: Only 10 ports can be given with -p.\n',
    ],
    [
      ['--tls-keylog', '/nonexistent/keys'],
      'Error: Unable to open TLS key log file /nonexistent/keys. No such file or directory.\n',
    ],
  ] as const) {
    it(args.join(' '), async () => {
      const { code, stderr } = await runTool('mqtt-broker', args);
      assert.equal(stderr, sentence);
      assert.equal(code, args[0] === '--tls-keylog' ? 1 : 3);
    });
  }
});

describe('--test-config', () => {
  it('a good file: exit code 0, and nothing is touched', async (t) => {
    const { file, folder } = configured(
      t,
      'listener 1883',
      'pid_file pid',
      'log_dest file log',
      'password_file missing',
    );
    mkdirSync(path.join(folder, 'db'));
    const { code, stdout, stderr } = await runTool('mqtt-broker', ['--test-config', '-c', file], { cwd: folder });
    assert.deepEqual([code, stdout], [0, '']);
    assert.ok(stderr.endsWith('Configuration file is OK.\n'), stderr);
    assert.deepEqual(readdirSync(folder).sort(), ['db', 'mosquitto.conf']);
  });

  it('a bad file: exit code 3', async (t) => {
    const { file } = configured(t, 'listener x');
    const { code, stderr } = await runTool('mqtt-broker', ['--test-config', '-c', file]);
    assert.equal(code, 3);
    assert.ok(stderr.endsWith(`Error found at ${file}:1.\n`), stderr);
  });

  it('no file: exit code 3', async () => {
    const { code, stderr } = await runTool('mqtt-broker', ['--test-config']);
    assert.deepEqual([code, stderr], [3, 'Please provide a configuration file to test.\n']);
  });
});

describe('-d and the pid file', () => {
  it('the command ends when the broker runs; the pid file tells which process it is', async (t) => {
    const port = await freePort();
    const { file, folder } = configured(t, `listener ${port} 127.0.0.1`, 'pid_file pid', 'log_dest file log');
    const { code, stdout, stderr } = await finishBuilt('mqtt-broker', ['-d', '-c', file], { cwd: folder });
    const pid = Number(readFileSync(path.join(folder, 'pid'), 'utf8'));
    assert.ok(Number.isInteger(pid) && pid > 1);
    t.after(() => {
      if (alive(pid)) process.kill(pid, 'SIGKILL');
    });
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
    await reachable(port);

    // A second one fails, says so, and leaves the first one's pid file alone.
    const second = await finishBuilt('mqtt-broker', ['-d', '-c', file], { cwd: folder });
    assert.deepEqual(
      [second.code, second.stderr],
      [1, `Error: Address already in use\nPort ${port} can't be opened.\n`],
    );
    assert.equal(Number(readFileSync(path.join(folder, 'pid'), 'utf8')), pid);

    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    process.kill(pid, 'SIGTERM');
    await closed;
    while (alive(pid)) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(existsSync(path.join(folder, 'pid')), false);
  });

  it('a bad configuration is told in the foreground', async (t) => {
    const { file } = configured(t, 'foo bar');
    const { code, stderr } = await runTool('mqtt-broker', ['-d', '-c', file]);
    assert.equal(code, 3);
    assert.match(stderr, /^Error: Unknown configuration variable 'foo'\.\n/);
  });
});
