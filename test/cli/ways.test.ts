// Ways to the broker that are no plain connection, with the built tools: a SOCKS proxy.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../src/client/index.ts';
import { runTool } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { socksServer } from '../support/socks-server.ts';
import { embeddedBroker } from './embedded-broker.ts';

describe('--proxy', () => {
  it('leads to a broker that only the proxy knows, with a login', async (context) => {
    const { port } = await embeddedBroker(context);
    const login = { username: 'tom@home', password: 'p:w' };
    const proxy = await socksServer(context, { login, names: { 'broker.example': '127.0.0.1' } });
    const url = `socks5h://tom%40home:p%3Aw@127.0.0.1:${proxy.port}`;
    const to = ['--proxy', url, '-h', 'broker.example', '-p', String(port), '-q', '1', '-t', 'a', '-m', 'm'];
    assert.deepEqual(await runTool('mqtt-pub', to), { code: 0, stdout: '', stderr: '' });
    assert.deepEqual(proxy.asked, [`name:broker.example:${port}`]);
  });

  it('says what failed at whom', async (context) => {
    const proxy = await socksServer(context, { reply: 5 });
    const to = ['-h', 'broker.example', '-t', 'a', '-m', 'm'];
    assert.deepEqual(await runTool('mqtt-pub', ['--proxy', `socks5h://127.0.0.1:${proxy.port}`, ...to]), {
      code: 4,
      stdout: '',
      stderr:
        'Error: The client is not currently connected.\n' +
        `The SOCKS proxy 127.0.0.1:${proxy.port} was refused the connection to broker.example:1883.\n`,
    });
    const port = await freePort();
    assert.deepEqual(await runTool('mqtt-pub', ['--proxy', `socks5h://127.0.0.1:${port}`, ...to]), {
      code: 1,
      stdout: '',
      stderr: `Error: Connection refused\nThe SOCKS proxy 127.0.0.1:${port} cannot be reached: Connection refused.\n`,
    });
  });

  it('reconnects go through it, too', async (context) => {
    const { port } = await embeddedBroker(context);
    const proxy = await socksServer(context);
    const client = await connect({
      endpoint: { kind: 'tcp', host: '127.0.0.1', port, proxy: { host: '127.0.0.1', port: proxy.port } },
      reconnect: { minDelayMs: 1, maxDelayMs: 1 },
    });
    context.after(() => client.end());
    await new Promise<void>((resolve) => {
      client.on('reconnecting', () => client.on('connect', () => resolve()));
      proxy.cut();
    });
    assert.equal(proxy.asked.length, 2);
  });
});
