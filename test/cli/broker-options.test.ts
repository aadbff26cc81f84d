// The command line of mqtt-broker: what it starts, what it refuses, signals and the background.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { makeCertificate } from '../support/certificates.ts';
import { runTool } from '../support/cli.ts';
import { freePort, freePorts } from '../support/free-port.ts';
import { scratch } from '../support/mosquitto.ts';
import { makePipe } from '../support/pipe.ts';
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

  it('a pid file that is something else: it is left alone', async (t) => {
    const folder = scratch(t);
    const precious = path.join(folder, 'precious');
    writeFileSync(precious, 'x'.repeat(5000));
    for (const [file, why] of [
      [precious, 'It is larger than 4096 bytes'],
      [makePipe(folder), 'It is a pipe that nobody writes to'],
      [folder, 'Is a directory'],
    ] as const) {
      const { file: config } = configured(t, `pid_file ${file}`);
      const { code, stderr } = await runTool('mqtt-broker', ['-c', config]);
      assert.deepEqual([code, stderr], [14, `Error: Unable to write pid file ${file}. ${why}.\n`]);
    }
    assert.equal(readFileSync(precious, 'utf8'), 'x'.repeat(5000));
  });

  it('an address that this machine does not have is named', async (t) => {
    const { file } = configured(t, 'listener 1883 192.0.2.1');
    const { code, stderr } = await runTool('mqtt-broker', ['-c', file]);
    assert.equal(code, 1);
    const end =
      "Error: Cannot assign requested address\nPort 1883 can't be opened: this machine has no address 192.0.2.1.\n";
    assert.ok(stderr.endsWith(end), stderr);
  });

  it('a log file that can not be opened, by name', async (t) => {
    const { file } = configured(t, `listener ${await freePort()} 127.0.0.1`, 'log_dest file /nonexistent/log');
    const { code, stderr } = await runTool('mqtt-broker', ['-c', file]);
    assert.equal(
      stderr,
      'Error: Unable to open log file /nonexistent/log for writing: No such file or directory. ' +
        `Name another one in log_dest file, or see to its rights.\nError found at ${file}:2.\n`,
    );
    assert.equal(code, 1);
  });

  it('a Unix socket, a host name and a syslog that are not there, by name', async (t) => {
    for (const [lines, sentence] of [
      [['listener 0 /nonexistent/socket'], /Error: Unable to open \/nonexistent\/socket\. Permission denied\.\n$/],
      [['listener 1883 no.such.invalid'], /Error: .+\nThe listener on no\.such\.invalid can't be opened\.\n$/],
      [
        [`listener ${await freePort()} 127.0.0.1`, 'log_dest syslog'],
        /^Error: .*\/dev\/log.* Use log_dest .+\.\nError found at .+:2\.\n$/,
      ],
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
      'password_file passwd',
      'acl_file acl',
    );
    mkdirSync(path.join(folder, 'db'));
    writeFileSync(path.join(folder, 'passwd'), '', { mode: 0o600 });
    writeFileSync(path.join(folder, 'acl'), 'topic a\n');
    const { code, stdout, stderr } = await runTool('mqtt-broker', ['--test-config', '-c', file], { cwd: folder });
    assert.deepEqual([code, stdout], [0, '']);
    assert.ok(stderr.endsWith('Configuration file is OK.\n'), stderr);
    assert.deepEqual(readdirSync(folder).sort(), ['acl', 'db', 'mosquitto.conf', 'passwd']);
  });

  it('the files that it names are read: each bad one is told with its place, once', async (t) => {
    const port = await freePort();
    const { file, folder } = configured(
      t,
      'password_file passwd',
      'acl_file acl',
      `listener ${port}`,
      'certfile server.crt',
      'keyfile other.key',
      `listener ${port + 1}`,
      'certfile server.crt',
      'keyfile server.key',
      'cafile none',
    );
    const server = makeCertificate({ subject: 'localhost' });
    const files = {
      passwd: 'ann:nothing\n',
      acl: '# rules\ntopic a/#/b\n',
      'server.crt': server.cert,
      'server.key': server.key,
      'other.key': makeCertificate({ subject: 'other' }).key,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    const { code, stdout, stderr } = await runTool('mqtt-broker', ['--test-config', '-c', file], { cwd: folder });
    assert.deepEqual([code, stdout], [3, '']);
    const lines = stderr.trimEnd().split('\n');
    assert.match(
      lines[0] ?? '',
      /^Error: Unable to decode line in password file "passwd", line 1: the hash of user "ann"/,
    );
    assert.equal(lines[1], `Error found at ${file}:1.`);
    assert.match(lines[2] ?? '', /^Error: Invalid ACL topic "a\/#\/b" in acl_file "acl", line 2: /);
    assert.equal(lines[3], `Error found at ${file}:2.`);
    assert.equal(
      lines[4],
      'Error: Unable to load keyfile "other.key": The private key does not belong to the certificate.',
    );
    assert.equal(lines[5], `Error found at ${file}:5.`);
    assert.equal(lines[6], 'Error: Unable to load cafile "none": No such file or directory.');
    assert.deepEqual(lines.slice(7), [`Error found at ${file}:9.`]);
  });

  it('a certificate that expired and a file that everybody may read are warned of: exit code 0', async (t) => {
    const lines = ['listener 1883', 'certfile old.crt', 'keyfile old.key', 'password_file passwd'];
    const { file, folder } = configured(t, ...lines);
    const old = makeCertificate({ subject: 'old', from: -20, to: -10 });
    writeFileSync(path.join(folder, 'old.crt'), old.cert);
    writeFileSync(path.join(folder, 'old.key'), old.key);
    writeFileSync(path.join(folder, 'passwd'), '', { mode: 0o644 });
    const { code, stderr } = await runTool('mqtt-broker', ['--test-config', '-c', file], { cwd: folder });
    assert.match(stderr, /^Warning: File passwd has world readable permissions: .+\.$/m);
    assert.match(
      stderr,
      /^Warning: A certificate in certfile "old\.crt" \(.+:2\) expired on .+: clients will refuse it\.$/m,
    );
    assert.ok(stderr.endsWith('\nConfiguration file is OK.\n'), stderr);
    assert.equal(code, 0);
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
