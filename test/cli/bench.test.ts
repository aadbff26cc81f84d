// mqtt-bench as the shell sees it: its commands, summaries, exit codes, and how it ends early.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Summary } from '../../src/cli/commands/bench-summary.ts';
import { makeCertificate } from '../support/certificates.ts';
import { runTool } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { scratch } from '../support/mosquitto.ts';
import { built, Program, type Result } from '../support/process.ts';
import { embeddedBroker, falseBroker, Observer } from './embedded-broker.ts';

const bench = (...words: string[]): Promise<Result> => runTool('mqtt-bench', words);

/** The JSON of a run that must end with this code. */
async function measured(code: number, ...words: string[]): Promise<Summary> {
  const result = await bench(...words, '--json');
  assert.equal(result.code, code, result.stderr + result.stdout);
  return JSON.parse(result.stdout) as Summary;
}

/** A running mqtt-bench, for tests that end it. */
const start = (...words: string[]): Program => new Program(process.execPath, [built('mqtt-bench'), ...words]);

describe('mqtt-bench measures', () => {
  it('connections', async (context) => {
    const { where } = await embeddedBroker(context);
    const summary = await measured(0, 'conn', ...where, '-n', '20', '--duration', '0.1', '--pid', String(process.pid));
    assert.deepEqual([summary.connections.opened, summary.connections.failed, summary.connections.lost], [20, 0, 0]);
    assert.equal(summary.connections.ms?.count, 20);
    assert.deepEqual([summary.sent, summary.received], [null, null]);
    assert.ok((summary.broker?.residentBytes ?? 0) > 1e6);
  });

  it('publishers, with topics and payloads of templates', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port, 't/#');
    const message = '{"id":"%c","user":"%u","of":"100 %%","stamp":"%s"}';
    const words = ['-n', '2', '-q', '1', '-i', 'meter', '-u', 'tom-%i', '-t', 't/%i/%c/%u', '-m', message];
    const { sent } = await measured(0, 'pub', ...where, ...words, '--total', '5', '--first', '7');
    assert.deepEqual([sent?.messages, sent?.acknowledged, sent?.ackMs?.count], [5, 5, 5]);
    const messages = await observer.seen(5);
    const topics = messages.map(({ topic }) => topic).sort();
    assert.deepEqual(topics, [...Array(3).fill('t/7/meter-7/tom-7'), ...Array(2).fill('t/8/meter-8/tom-8')]);
    const { id, user, of, stamp } = JSON.parse(String(messages.find(({ topic }) => topic.startsWith('t/8'))?.payload));
    assert.deepEqual([id, user, of], ['meter-8', 'tom-8', '100 %']);
    assert.match(stamp, /^6d716273[0-9a-f]{32}$/);
  });

  it('subscribers, up to a total, whoever publishes', async (context) => {
    const { where, subscribed } = await embeddedBroker(context);
    const ready = subscribed('bench/#');
    const words = ['-n', '1', '-q', '1', '--total', '50', '--json'];
    const program = start('sub', ...where, ...words);
    await ready;
    // The subscriber counts what comes once all are there; publishing goes on until it has had enough.
    const publisher = start('pub', ...where, '-n', '2', '-q', '1', '--rate', '500', '--duration', '10');
    const { code, stdout, stderr } = await program.ended;
    assert.equal(code, 0, stderr);
    await publisher.stop();
    const { received } = JSON.parse(stdout) as Summary;
    assert.ok((received?.messages ?? 0) >= 50);
    assert.deepEqual([received?.lost, received?.duplicated, received?.outOfOrder], [0, 0, 0]);
    assert.equal(received?.latencyMs?.count, received?.messages);
  });

  it('load, with lines for people', async (context) => {
    const { where } = await embeddedBroker(context);
    const words = ['--publishers', '2', '--subscribers', '3', '--topics', '1', '-q', '2', '--total', '100'];
    const { code, stdout, stderr } = await bench('load', ...where, ...words, '--pid', String(process.pid), '-V', '5');
    assert.deepEqual([code, stderr], [0, '']);
    const labels = stdout.split('\n').map((line) => line.slice(0, 16).trim());
    assert.match(
      stdout,
      /^load on tcp:\/\/127\.0\.0\.1:\d+: 2 publishers, 3 subscribers, 1 topic, QoS 2, 64 bytes, mqttv5\n\n/,
    );
    assert.deepEqual(labels.slice(2), [
      'connected',
      'connect time',
      'sent',
      'acknowledged',
      'ack time',
      'received',
      'lost',
      'duplicated',
      'out of order',
      'latency',
      'own CPU',
      'broker CPU',
      'broker memory',
      '',
    ]);
    assert.match(stdout, /\nreceived {8}300 messages in /);
    assert.match(stdout, /\nlost {12}0\n/);
  });

  it('load in several processes', async (context) => {
    const { where } = await embeddedBroker(context);
    const words = ['--publishers', '3', '--subscribers', '4', '--topics', '1', '--total', '90', '--workers', '2'];
    const summary = await measured(0, 'load', ...where, ...words, '-q', '1', '--warmup', '0.05');
    assert.deepEqual([summary.workers, summary.connections.opened, summary.sent?.messages], [2, 7, 90]);
    const { received } = summary;
    assert.deepEqual([received?.messages, received?.expected, received?.lost, received?.foreign], [360, 360, 0, 0]);
    assert.equal(received?.latencyMs?.count, 360);
  });

  it('over TLS and over WebSocket', async (context) => {
    const ca = makeCertificate({ subject: 'Test CA', isAuthority: true });
    const server = makeCertificate({ subject: 'localhost', issuer: ca, altNames: ['localhost'] });
    const folder = scratch(context);
    const file = (name: string, text: string): string => {
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
      return path.join(folder, name);
    };
    const tls = { certfile: file('cert.pem', server.cert), keyfile: file('key.pem', server.key) };
    const listeners = [
      { port: 0, ...tls },
      { port: 0, protocol: 'websockets' as const },
    ];
    const { broker } = await embeddedBroker(context, 0, { listeners });
    const [secure = 0, web = 0] = broker.ports;
    const words = ['--publishers', '2', '--subscribers', '2', '--total', '20', '-q', '1'];
    const cafile = file('ca.pem', ca.cert);
    const overTls = await measured(0, 'load', '-h', 'localhost', '-p', String(secure), '--cafile', cafile, ...words);
    const overWeb = await measured(0, 'load', '-h', 'localhost', '-p', String(web), '--ws', ...words);
    for (const { received } of [overTls, overWeb]) assert.deepEqual([received?.messages, received?.lost], [20, 0]);
  });

  it('a rate, and no faster', async (context) => {
    const { where } = await embeddedBroker(context);
    const { sent } = await measured(0, 'pub', ...where, '-n', '4', '--rate-all', '200', '--total', '21');
    assert.equal(sent?.messages, 21);
    assert.ok((sent?.seconds ?? 0) >= 0.1, `${sent?.seconds} s`);
  });
});

describe('mqtt-bench says', () => {
  const wrong: readonly [string, readonly string[], string][] = [
    ['no command', [], 'Say first what to measure: conn, pub, sub or load.\n'],
    ['an unknown command', ['lod'], "Unknown command 'lod': there are conn, pub, sub or load.\nDid you mean 'load'?\n"],
    [
      'an unknown option',
      ['conn', '--conections', '3'],
      "Unknown option '--conections'.\nDid you mean '--connections'?\n",
    ],
    [
      'an option of another command',
      ['conn', '--topics', '3'],
      "The option '--topics' belongs to load and not to conn.\n",
    ],
    [
      'two rates',
      ['pub', '--rate', '1', '--byte-rate', '1'],
      'Give only one of --rate, --rate-all, --byte-rate and --byte-rate-all.\n',
    ],
    ['a bad number', ['pub', '-n', '0'], "Invalid number of connections '0': give a whole number from 1 to 1000000.\n"],
    ['a bad rate', ['pub', '--rate', '-1'], "Invalid rate '-1': give a number from 0.001 to 10000000000.\n"],
    ['an unknown place', ['pub', '-t', 'a/%x'], "Invalid topic: '%x' is none of the places %i, %c, %u, %%.\n"],
    ['a wildcard to publish to', ['pub', '-t', 'a/#'], "Invalid publish topic 'a/#', does it contain '+' or '#'?\n"],
    ['too few places', ['load', '-t', 'a', '--topics', '2'], '2 topics need a topic with %i in it (-t).\n'],
  ];
  for (const [what, words, sentence] of wrong) {
    it(`what is wrong with ${what}`, async () => {
      const { code, stdout, stderr } = await bench(...words);
      assert.deepEqual([code, stdout], [1, '']);
      assert.equal(stderr, `Error: ${sentence}\nUse 'mqtt-bench --help' to see usage.\n`);
    });
  }

  it('what it can do, and its version', async () => {
    const { helpText, versionText } = await import('../../src/cli/usage.ts');
    await import('../../src/cli/options/bench.ts');
    assert.deepEqual(await bench('--help'), { code: 0, stdout: helpText('bench'), stderr: '' });
    assert.deepEqual(await bench('load', '--version'), { code: 0, stdout: versionText('bench'), stderr: '' });
  });

  it('that a file is missing', async () => {
    const { code, stderr } = await bench('pub', '-f', '/nowhere');
    assert.deepEqual([code, stderr], [1, 'Error: The file "/nowhere" can\'t be read: No such file or directory.\n']);
  });

  it('that there is no broker', async () => {
    const { code, stdout, stderr } = await bench('load', '-h', '127.0.0.1', '-p', String(await freePort()));
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^Error: Connection refused\. Nothing accepts connections at 127\.0\.0\.1:\d+: .+\.\n$/);
  });

  it('with -d what becomes of each connection', async (context) => {
    const { where } = await embeddedBroker(context);
    const words = ['conn', ...where, '-n', '2', '-i', 'tom', '--duration', '0.05', '-d'];
    const { code, stderr } = await bench(...words);
    assert.equal(code, 0);
    assert.match(stderr, /^tom-0: connected after \d+\.\d ms\ntom-1: connected after \d+\.\d ms\n$/);
  });

  it('why clients are refused', async (context) => {
    const { where } = await embeddedBroker(context);
    const { code, stderr } = await bench('conn', ...where, '-n', '3', '-u', 'nobody', '--duration', '0.1');
    assert.equal(code, 1);
    assert.match(stderr, /^Error \(3 times\): Connection error: .+\.\n$/);
  });

  it('that subscriptions or messages are refused', async (context) => {
    const { where } = await embeddedBroker(context);
    const words = ['-V', '5', '-q', '1', '-t', 'denied/x', '-n', '2'];
    const sub = await bench('sub', ...where, ...words, '--duration', '0.1');
    assert.equal(sub.code, 2);
    assert.match(sub.stderr, /^Error \(2 times\): A subscription was refused: Not authorized\.\n/);
    const pub = await bench('pub', ...where, ...words, '--total', '4');
    assert.equal(pub.code, 2);
    assert.match(pub.stderr, /^Error \(4 times\): A message was refused: Not authorized\.\n/);
  });

  it('that messages are lost', async (context) => {
    // Takes everybody and everything, and forwards nothing.
    const port = await falseBroker(context, (chunk, socket) => {
      for (let at = 0; at < chunk.length; at += 2 + chunk[at + 1]!) {
        if (chunk[at] === 0x10) socket.write(Buffer.from([0x20, 2, 0, 0]));
        if (chunk[at] === 0x82) socket.write(Buffer.from([0x90, 3, chunk[at + 2]!, chunk[at + 3]!, 0]));
      }
    });
    const words = ['--publishers', '1', '--subscribers', '1', '--total', '5', '--drain', '0.1'];
    const { received } = await measured(3, 'load', '-h', '127.0.0.1', '-p', String(port), ...words);
    assert.deepEqual([received?.expected, received?.messages, received?.lost], [5, 0, 5]);
  });

  it('that the broker takes no more', async (context) => {
    // Takes everybody, and acknowledges nothing.
    const port = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) socket.write(Buffer.from([0x20, 2, 0, 0]));
    });
    const where = ['-h', '127.0.0.1', '-p', String(port)];
    const program = start('pub', ...where, '-n', '1', '-q', '1', '-M', '5', '--total', '9', '--drain', '0.1');
    const { code, stdout, stderr } = await program.ended;
    assert.deepEqual([code, stderr], [2, 'Error: The broker took no more messages; the total was not sent.\n']);
    assert.match(stdout, /\nacknowledged {4}0, and 5 not\n/);
  });

  it('that there is no such process', async (context) => {
    const { where } = await embeddedBroker(context);
    const { code, stderr } = await bench('conn', ...where, '-n', '1', '--duration', '0.05', '--pid', '4194304');
    assert.deepEqual([code, stderr], [0, 'Warning: There is no process 4194304 (--pid); its figures are left out.\n']);
  });
});

describe('mqtt-bench ends', () => {
  const began = async (context: TestContext, ...words: string[]) => {
    const { broker, port, where } = await embeddedBroker(context);
    const observer = await Observer.of(context, port, 'bench/#');
    const program = start('load', ...where, '--json', '--duration', '15', '--rate-all', '500', ...words);
    await observer.seen(20);
    return { broker, program };
  };

  for (const workers of [1, 2]) {
    it(`with a summary on Ctrl-C, with ${workers} at work`, async (context) => {
      const { program } = await began(context, '--workers', String(workers));
      program.signal('SIGINT');
      const { code, stdout, stderr } = await program.ended;
      assert.deepEqual([code, stderr], [0, '']);
      const { stopped, received, connections } = JSON.parse(stdout) as Summary;
      assert.equal(stopped, true);
      assert.deepEqual([received?.lost, connections.lost], [0, 0]);
      assert.ok((received?.messages ?? 0) > 0);
    });
  }

  it('with a summary and the reason when the broker goes away', async (context) => {
    const { broker, program } = await began(context);
    await broker.stop();
    const { code, stdout, stderr } = await program.ended;
    assert.equal(code, 2);
    assert.match(stderr, /^Error \(20 times\): The connection was lost\.\n$/);
    const { connections, sent } = JSON.parse(stdout) as Summary;
    assert.equal(connections.lost, 20);
    assert.ok((sent?.messages ?? 0) > 0);
  });

  it('quietly when nobody reads its output', async (context) => {
    const { where } = await embeddedBroker(context);
    const command = `"$0" "$1" load ${where.join(' ')} --total 10 | head -1`;
    const program = new Program('sh', ['-c', command, process.execPath, built('mqtt-bench')]);
    const { stdout, stderr } = await program.ended;
    assert.match(stdout, /^load on .*\n$/);
    assert.equal(stderr, '');
  });
});
