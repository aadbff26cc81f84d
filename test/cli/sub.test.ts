import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DENY, type Decision } from '../../src/index.ts';
import { runTool } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { built, finish, Program } from '../support/process.ts';
import { ACCEPTED, embeddedBroker, falseBroker, Observer } from './embedded-broker.ts';

/** Lines with the made-up client id replaced. */
const lines = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/mosq-\w{18}/, 'ID'));

const NOTHING = { code: 0, stdout: '', stderr: '' };

/** Starts mqtt-sub with -d and waits for its subscription. */
async function subscribed(args: readonly string[]): Promise<Program> {
  const program = new Program(process.execPath, [built('mqtt-sub'), '-d', ...args]);
  await program.seen('Subscribed (mid: 1)', 'stdout');
  return program;
}

describe('mqtt-sub', () => {
  it('prints messages in the order of the wire, and what goes over it with -d', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    const program = await subscribed([...where, '-t', 'tmp', '-t', 'a/+', '-q', '2', '-v', '-C', '3']);
    broker.publish('tmp', 'hello', { qos: 2 });
    broker.publish('a/b', Buffer.from('grün'), { qos: 1 });
    broker.publish('tmp', '');
    const { code, stdout, stderr } = await program.ended;
    assert.deepEqual(lines(stdout), [
      'Client ID sending CONNECT',
      'Client ID received CONNACK (0)',
      'Client ID sending SUBSCRIBE (Mid: 1, Topic: tmp, QoS: 2, Options: 0x00)',
      'Client ID sending SUBSCRIBE (Mid: 1, Topic: a/+, QoS: 2, Options: 0x00)',
      'Client ID received SUBACK',
      'Subscribed (mid: 1): 2, 2',
      "Client ID received PUBLISH (d0, q2, r0, m1, 'tmp', ... (5 bytes))",
      'tmp hello',
      'Client ID sending PUBREC (m1, rc0)',
      "Client ID received PUBLISH (d0, q1, r0, m2, 'a/b', ... (5 bytes))",
      'a/b grün',
      'Client ID sending PUBACK (m2, rc0)',
      "Client ID received PUBLISH (d0, q0, r0, m0, 'tmp', ... (0 bytes))",
      'tmp (null)',
      'Client ID sending DISCONNECT',
    ]);
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('writes payloads byte by byte, and nothing for an empty one', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    const payload = Buffer.from([0xff, 0x00, 0xc3, 0x0a]);
    for (const [topic, text] of [
      ['t/1', ''],
      ['t/2', payload],
    ] as const) {
      broker.publish(topic, text, { retain: true });
    }
    broker.publish('t/3', 'x', { retain: true });
    const command = `"${process.execPath}" "${built('mqtt-sub')}" ${where.join(' ')} -t 't/#' -C 2 | od -An -v -tx1`;
    const { stdout } = await finish('sh', ['-c', command]);
    assert.equal(stdout.replace(/\s+/g, ' ').trim(), 'ff 00 c3 0a 0a 78 0a');
  });

  it('prints the forms of -F, -N and --pretty', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    broker.publish('f/a', '{"x":1}', { retain: true });
    const show = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runTool('mqtt-sub', [...where, '-t', 'f/a', '-C', '1', ...args]);
      assert.deepEqual([code, stderr], [0, '']);
      return stdout;
    };
    assert.equal(await show('-F', '%t|%q|%r|%l|%x'), 'f/a|0|1|7|7b2278223a317d\n');
    assert.equal(await show('-v', '-N'), 'f/a {"x":1}');
    const json = await show('-F', '%J');
    assert.deepEqual(JSON.parse(json).payload, { x: 1 });
    assert.equal(json.trimEnd().split('\n').length, 1);
    assert.match(await show('-F', '%J', '--pretty'), /^\{\n\t"tst":\t".*"payload":\t\{\n\t\t"x":\t1\n\t\}\n\}\n$/s);
    const bad = await runTool('mqtt-sub', [...where, '-t', 'f/a', '-F', '%z']);
    assert.deepEqual([bad.code, bad.stdout], [1, '']);
    assert.match(bad.stderr, /^Error: Invalid format specifier 'z'\.\n\nUse 'mqtt-sub --help' to see usage\.\n$/);
  });

  it('chooses by retain flag and topic', async (context) => {
    const { broker, port, where } = await embeddedBroker(context);
    for (const name of ['x/1', 'x/2', 'y/3']) broker.publish(name, name, { retain: true });
    const run = (...args: string[]): Promise<{ code: number | null; stdout: string }> =>
      runTool('mqtt-sub', [...where, '-t', '#', '-v', ...args]);
    const filtered = await run('-T', 'x/1', '-T', 'y/#', '-C', '1');
    assert.deepEqual([filtered.code, filtered.stdout], [0, 'x/2 x/2\n']);

    const fresh = await subscribed([...where, '-t', '#', '-R', '-C', '1', '-F', 'fresh %t']);
    const old = await subscribed([...where, '-t', '#', '--retained-only', '-F', 'old %t']);
    await old.seen('old y/3', 'stdout');
    broker.publish('z', 'live');
    assert.deepEqual(
      lines((await fresh.ended).stdout).filter((line) => line.startsWith('fresh')),
      ['fresh z'],
    );
    const { code, stdout } = await old.ended;
    assert.equal(code, 0);
    const printed = lines(stdout).filter((line) => line.startsWith('old'));
    assert.deepEqual(printed.toSorted(), ['old x/1', 'old x/2', 'old y/3']);

    const removed = await run('--remove-retained', '-T', 'x/1', '-C', '2');
    assert.equal(removed.code, 0);
    const observer = await Observer.of(context, port);
    assert.deepEqual(
      (await observer.seen(1)).map((message) => message.topic),
      ['x/1'],
    );
  });

  it('ends after a time, after subscribing, and on signals', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const late = await runTool('mqtt-sub', [...where, '-t', 't', '-W', '0.5', '-d']);
    assert.deepEqual([late.code, late.stderr], [27, 'Timed out\n']);
    assert.equal(lines(late.stdout).at(-1), 'Client ID sending DISCONNECT');
    const deaf = await falseBroker(context, () => undefined);
    const never = await runTool('mqtt-sub', ['-h', '127.0.0.1', '-p', String(deaf), '-t', 't', '-W', '0.5']);
    assert.deepEqual([never.code, never.stdout], [27, '']);
    assert.match(never.stderr, /^Timed out\n127\.0\.0\.1:\d+ took the connection and did not answer CONNECT: .+\.\n$/);

    const quick = await runTool('mqtt-sub', [...where, '-t', 't', '-E', '-d']);
    assert.deepEqual(
      [quick.code, lines(quick.stdout).slice(-2)],
      [0, ['Subscribed (mid: 1): 0', 'Client ID sending DISCONNECT']],
    );

    const observer = await Observer.of(context, port, 'will/#');
    for (const [signal, version] of [
      ['SIGINT', '5'],
      ['SIGTERM', '311'],
    ] as const) {
      const will = ['--will-topic', `will/${version}`, '--will-payload', 'gone'];
      const program = await subscribed([...where, '-t', 't', '-V', version, ...will]);
      program.signal(signal);
      const { code, stdout, stderr } = await program.ended;
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal(lines(stdout).at(-1), 'Client ID sending DISCONNECT');
    }
    const killed = await subscribed([...where, '-t', 't', '--will-topic', 'will/killed', '--will-payload', 'gone']);
    killed.signal('SIGKILL');
    // A DISCONNECT of MQTT 5 asks for the will, one of 3.1.1 can't.
    assert.deepEqual(
      (await observer.seen(2)).map((message) => message.topic),
      ['will/5', 'will/killed'],
    );
  });

  it('tells a refusal as Mosquitto does, with its exit code', async (context) => {
    const { where } = await embeddedBroker(context);
    const args = [...where, '-t', 'temp', '-v', '-d', '-u', 'nobody'];
    const old = await runTool('mqtt-sub', args);
    assert.deepEqual([old.code, old.stderr], [5, 'Connection error: Connection Refused: not authorised.\n']);
    assert.deepEqual(lines(old.stdout), [
      'Client ID sending CONNECT',
      'Client ID received CONNACK (5)',
      'Client ID sending DISCONNECT',
    ]);
    const current = await runTool('mqtt-sub', [...args, '-V', '5']);
    assert.deepEqual([current.code, current.stderr], [135, 'Connection error: Not authorized\n']);
    // What the trace has shown already is not said again.
    assert.deepEqual(lines(current.stdout).slice(1, 3), [
      'Client ID received CONNACK (135)',
      'The broker says: Not authorized to connect.',
    ]);
  });

  it('tells which subscriptions were refused', async (context) => {
    const { where } = await embeddedBroker(context);
    const all = 'All subscription requests were denied.\n';
    const words = "The broker says: Not authorized to subscribe to 'denied/a'.\n";
    for (const version of ['311', '5']) {
      const args = [...where, '-t', 'denied/a', '-V', version];
      const stderr = version === '5' ? all + words : all;
      assert.deepEqual(await runTool('mqtt-sub', args), { code: 0, stdout: '', stderr });
    }
    const some = await runTool('mqtt-sub', [...where, '-V', '5', '-t', 'denied/a', '-t', 'ok', '-E']);
    const stderr = "Warning: Subscription to 'denied/a' was refused: Not authorized.\n";
    assert.deepEqual(some, { code: 0, stdout: '', stderr: stderr + words });
  });

  it('ends with 135 for --fail-on-denied where the broker refuses a subscription or its end', async (context) => {
    const { broker, port, where } = await embeddedBroker(context);
    for (const [args, said] of [
      [['-t', 'denied/a'], /^All subscription requests were denied\.\nThe broker says: .*\n$/],
      [['-V', '311', '-t', 'denied/a'], /^All subscription requests were denied\.\n$/],
      [['-t', 'ok', '-t', 'denied/a'], /^Warning: Subscription to 'denied\/a' was refused: .*\nThe broker says: .*\n$/],
      [
        ['-U', 'denied/a', '-E'],
        /^Error: The end of the subscription to 'denied\/a' was refused: Not authorized\.\nThe broker says: .*\n$/,
      ],
    ] as const) {
      const result = await runTool('mqtt-sub', [...where, '-V', '5', '--fail-on-denied', ...args]);
      assert.deepEqual([result.code, result.stdout], [135, '']);
      assert.match(result.stderr, said);
    }
    assert.deepEqual(await runTool('mqtt-sub', [...where, '-V', '5', '-U', 'denied/a', '-E']), NOTHING);
    // A later connection may be refused what the first one was granted.
    const program = await subscribed([...where, '-V', '5', '--fail-on-denied', '-t', 't']);
    await broker.stop();
    const plugins = [{ name: 'no more', authorize: (): Decision => DENY }];
    await embeddedBroker(context, port, { plugins });
    const { code, stderr } = await program.ended;
    assert.deepEqual(
      [code, stderr],
      [135, 'Error: The broker refused a subscription that was made anew: Not authorized.\n'],
    );
  });

  it('says why it cannot connect', async () => {
    const { code, stdout, stderr } = await runTool('mqtt-sub', [
      ...['-h', '127.0.0.1', '-p', String(await freePort()), '-t', 't'],
    ]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^Error: Connection refused\nNothing accepts connections at 127\.0\.0\.1:\d+: .+\.\n$/);
  });

  it('connects and subscribes again when the connection is lost', async (context) => {
    const first = await embeddedBroker(context);
    const program = await subscribed([...first.where, '-t', 't', '-q', '1', '-C', '1', '-F', 'got %p']);
    await first.broker.stop();
    const second = await embeddedBroker(context, first.port);
    await program.seen(/(?:.*Subscribed \(mid: \d+\)){2}/s, 'stdout');
    second.broker.publish('t', 'after', { qos: 1 });
    const { code, stdout, stderr } = await program.ended;
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(lines(stdout).includes('got after'));
  });

  it('leaves to a lasting session what it did not print', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    const session = [...where, '-i', 'keeper', '-c', '-q', '1'];
    assert.equal((await runTool('mqtt-sub', [...session, '-t', 'kept/#', '-E'])).code, 0);
    for (const payload of ['1', '2', '3']) broker.publish('kept/t', payload, { qos: 1 });
    const print = [...session, '-t', 'kept/#', '-C', '1'];
    for (const payload of ['1', '2', '3']) {
      assert.deepEqual(await runTool('mqtt-sub', print), { code: 0, stdout: `${payload}\n`, stderr: '' });
    }
    const left = await runTool('mqtt-sub', [...session, '-U', 'kept/#', '-E', '-d']);
    assert.deepEqual(lines(left.stdout).slice(2, 4), [
      'Client keeper sending UNSUBSCRIBE (Mid: 1, Topic: kept/#)',
      'Client keeper received UNSUBACK',
    ]);
  });

  it('ends quietly where its reader goes away', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    for (let i = 0; i < 200; i++) broker.publish(`r/${i}`, 'x'.repeat(1000), { retain: true });
    const sub = `"${process.execPath}" "${built('mqtt-sub')}" ${where.join(' ')} -t 'r/#' -t 'live'`;
    const ticker = setInterval(() => broker.publish('live', 'tick'), 20);
    context.after(() => clearInterval(ticker));
    const { code, stdout, stderr } = await finish('sh', ['-c', `{ ${sub}; echo "exit $?" >&2; } | head -c 3`]);
    assert.deepEqual([code, stdout, stderr], [0, 'xxx', 'exit 0\n']);
  });

  it('keeps every message of a stream that is faster than its reader', async (context) => {
    const { where, subscribed } = await embeddedBroker(context, 0, { global: { maxQueuedMessages: 0 } });
    const ready = subscribed('s');
    const sub = `"${process.execPath}" "${built('mqtt-sub')}" ${where.join(' ')} -t s -q 1 -C 30000`;
    const reading = finish('sh', ['-c', `${sub} | { read first; sleep 0.5; echo "$first"; cat; } | cksum`]);
    await ready;
    const expected = Array.from({ length: 30_000 }, (_, i) => `${i} ${'-'.repeat(100)}\n`).join('');
    const sent = await runTool('mqtt-pub', [...where, '-t', 's', '-l', '-q', '1'], { stdin: expected });
    assert.equal(sent.code, 0);
    const wanted = await finish('cksum', [], { input: expected });
    assert.equal((await reading).stdout, wanted.stdout);
  });

  it('waits for a condition, and for a number of messages', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    const hot = await subscribed([...where, '-t', 't/#', '-T', 't/no', '--until', 'payload.temp > 30', '-F', 'got %p']);
    for (const [topic, payload] of [
      ['t/1', '{"temp":20}'],
      ['t/1', 'no JSON'],
      ['t/no', '{"temp":40}'],
      ['t/2', '{"temp":31}'],
      ['t/2', 'too late'],
    ] as const) {
      broker.publish(topic, payload);
    }
    const { code, stdout } = await hot.ended;
    assert.equal(code, 0);
    const got = lines(stdout).filter((line) => line.startsWith('got'));
    assert.deepEqual(got, ['got {"temp":20}', 'got no JSON', 'got {"temp":31}']);

    broker.publish('kept', 'on', { retain: true });
    const run = (...args: string[]) => runTool('mqtt-sub', [...where, '-t', 'kept', ...args]);
    assert.deepEqual(await run('--expect', '1', '-W', '5'), { code: 0, stdout: 'on\n', stderr: '' });
    const [few, many, never] = await Promise.all([
      run('--expect', '2', '-W', '0.5'),
      run('--expect', '0', '-W', '5'),
      run('--until', '/off/', '-W', '0.5'),
    ]);
    assert.deepEqual(few, { code: 27, stdout: 'on\n', stderr: 'Expected 2 messages, got 1.\nTimed out\n' });
    assert.deepEqual(many, { code: 1, stdout: 'on\n', stderr: 'Expected 0 messages, got 1.\n' });
    const unmet = 'No message fulfilled the condition of --until.\nTimed out\n';
    assert.deepEqual(never, { code: 27, stdout: 'on\n', stderr: unmet });
    assert.deepEqual(await run('--until', 'payload >'), {
      code: 1,
      stdout: '',
      stderr: [
        'Error: The condition of --until makes no sense: a value was expected here.',
        '  payload >',
        '           ^',
        '',
        "Use 'mqtt-sub --help' to see usage.\n",
      ].join('\n'),
    });
  });

  it('prints a part of the messages, or their rate', async (context) => {
    const { broker, where, subscribed } = await embeddedBroker(context, 0, { global: { maxQueuedMessages: 0 } });
    const ready = subscribed('n');
    const part = runTool('mqtt-sub', [...where, '-t', 'n', '--random-filter', '25', '-C', '500']);
    await ready;
    for (let i = 1; i <= 4000; i++) broker.publish('n', String(i));
    const printed = (await part).stdout.trimEnd().split('\n');
    assert.equal(printed.length, 500);
    // 500 of a quarter are 2000, give or take six times the standard deviation of 77.
    const last = Number(printed.at(-1));
    assert.ok(last > 1538 && last < 2462, String(last));

    const rate = new Program(process.execPath, [built('mqtt-sub'), ...where, '-t', 'n', '--message-rate']);
    await rate.seen(/^\d+ msgs\/s\n/, 'stdout');
    assert.equal((await rate.stop()).code, 0);
  });

  it('has no screen to keep lines on in a pipe', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    broker.publish('w/1', 'one', { retain: true });
    const result = await runTool('mqtt-sub', [...where, '-t', 'w/1', '-w', '-C', '1']);
    assert.deepEqual(result, { code: 0, stdout: 'w/1 one\n', stderr: '' });
    const bytes = await runTool('mqtt-sub', [...where, '-t', 'w/1', '-w', '-C', '1', '--payload-format', 'hex']);
    assert.equal(bytes.stdout, 'w/1 6f6e65\n');
  });

  it('decodes packets with -d -d, with --debug-packets and not with -d', async (context) => {
    const { broker, where } = await embeddedBroker(context);
    broker.publish('p', 'hello', { retain: true });
    const args = [...where, '-t', 'p', '-C', '1', '-V', '5', '-u', 'bob', '-P', 'open sesame'];
    const [twice, whole, once] = await Promise.all(
      [['-d', '-d'], ['--debug-packets', '--fail-on-denied'], ['-d']].map((words) =>
        runTool('mqtt-sub', [...args, ...words]),
      ),
    );
    for (const result of [twice, whole]) {
      assert.deepEqual([result?.code, result?.stderr], [0, '']);
      const shown = lines(result?.stdout ?? '').map((line) => line.replace(/^[\d:.]{15} /, ''));
      for (const line of [
        '    password: 11 bytes, not shown',
        '← PUBLISH (11 bytes, flags 0x1)',
        '        receive-maximum: 1',
        "Client ID received PUBLISH (d0, q0, r1, m0, 'p', ... (5 bytes))",
        'hello',
      ]) {
        assert.ok(shown.includes(line), `${line} in ${shown.join('\n')}`);
      }
      const packets = shown.flatMap((line) => /^[→←] (\w+)/.exec(line)?.[1] ?? []);
      assert.deepEqual(packets, ['CONNECT', 'CONNACK', 'SUBSCRIBE', 'SUBACK', 'PUBLISH', 'DISCONNECT']);
      assert.doesNotMatch(result?.stdout ?? '', /sesame|73 65 73 61/);
    }
    assert.doesNotMatch(once?.stdout ?? '', /[→←]/);
  });

  it('takes a broker that is none for a fault of the broker', async (context) => {
    const port = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) socket.write(ACCEPTED);
      else socket.write(Buffer.from([0xf0, 0x00]));
    });
    const program = new Program(process.execPath, [
      ...[built('mqtt-sub'), '-h', '127.0.0.1', '-p', String(port), '-t', 't', '-d'],
    ]);
    // It tries again each second, as after any other loss, until it is told to stop.
    await program.seen(/(?:.*sending SUBSCRIBE.*\n.*){2}/s, 'stdout');
    assert.equal((await program.stop()).code, 0);
  });
});
