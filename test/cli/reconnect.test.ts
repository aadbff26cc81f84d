// --reconnect and --max-reconnects of the client tools, and what they do without them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { main as pub } from '../../src/cli/commands/pub.ts';
import { main as rr } from '../../src/cli/commands/rr.ts';
import { main as sub } from '../../src/cli/commands/sub.ts';
import { freePort } from '../support/free-port.ts';
import { Running, runCommand } from '../support/run-command.ts';
import { ACCEPTED, embeddedBroker, falseBroker, Observer } from './embedded-broker.ts';

const REFUSED = 'Error: Connection refused\n';
const TRYING = 'Connection refused; trying again every second.\n';

describe('reconnecting', { concurrency: true }, () => {
  it('waits for the broker with --reconnect, and tells once', async (context) => {
    const port = await freePort();
    const running = new Running(pub, ['-p', String(port), '-t', 'a', '-m', 'late', '-q', '1', '--reconnect']);
    await running.seen(TRYING, 'stderr');
    const { port: bound } = await embeddedBroker(context, port);
    const observer = await Observer.of(context, bound);
    assert.deepEqual(await running.result(), { code: 0, stdout: '', stderr: TRYING });
    await observer.seen(1);
    assert.deepEqual(observer.payloads, ['late']);
  });

  it('sends a single message again after a lost connection', async (context) => {
    let connections = 0;
    const port = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) {
        connections += 1;
        socket.write(ACCEPTED);
      } else if (connections === 1) socket.destroy();
      else if (chunk[0]! >> 4 === 3) socket.write(Buffer.from([0x40, 2, 0, chunk[7] ?? 0]));
    });
    const argv = ['-h', '127.0.0.1', '-p', String(port), '-t', 'ab', '-m', 'x', '-q', '1'];
    assert.equal((await runCommand(pub, argv)).code, 7);
    connections = 0;
    assert.deepEqual(await runCommand(pub, [...argv, '--reconnect']), {
      code: 0,
      stdout: '',
      stderr: 'The connection was lost; trying again every second.\n',
    });
    assert.equal(connections, 2);
  });

  it('ends after --max-reconnects attempts with the last error, or at once with 0', async (context) => {
    const where = ['-p', String(await freePort())];
    const never = await runCommand(sub, [...where, '-t', 'a', '--reconnect', '--max-reconnects', '0']);
    assert.deepEqual([never.code, never.stderr.startsWith(REFUSED)], [1, true]);
    const request = ['-t', 'a', '-e', 'b', '-m', 'x', '--reconnect', '--max-reconnects', '1'];
    const once = await runCommand(rr, [...request, ...where]);
    assert.deepEqual([once.code, once.stderr.startsWith(`${TRYING}${REFUSED}`)], [1, true]);
    // mqtt-sub goes on by itself after a lost connection, unless it is told not to.
    const port = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) socket.write(ACCEPTED);
      else socket.destroy();
    });
    const bounded = await runCommand(sub, ['-p', String(port), '-t', 'a', '--max-reconnects', '0']);
    assert.deepEqual(bounded, { code: 7, stdout: '', stderr: 'Error: The connection was lost.\n' });
  });

  it('is bounded by -W, before the first connection as well', async () => {
    const argv = ['-p', String(await freePort()), '-t', 'a', '--reconnect', '-W', '0.2'];
    const { code, stdout, stderr } = await runCommand(sub, argv);
    assert.deepEqual([code, stdout], [27, '']);
    // The time may be over before the first attempt has failed.
    assert.match(stderr, new RegExp(`^(?:${TRYING})?Timed out\\n`));
  });

  it('ends at once where the broker says no', async (context) => {
    const { where } = await embeddedBroker(context);
    const refused = await runCommand(pub, [...where, '-t', 'a', '-m', 'x', '-u', 'nobody', '-P', 'x', '--reconnect']);
    assert.equal(refused.code, 5);
    assert.doesNotMatch(refused.stderr, /again/);
  });

  it('refuses a bound on what is not done', async () => {
    const { code, stderr } = await runCommand(pub, ['-t', 'a', '-m', 'x', '--max-reconnects', '3']);
    assert.equal(code, 1);
    assert.match(stderr, /^Error: '--max-reconnects' needs '--reconnect' here/);
  });
});
