// Ways to the broker that are no plain connection, with the built tools: a SOCKS proxy, and SRV records.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { connect } from '../../src/client/index.ts';
import { runTool } from '../support/cli.ts';
import { dnsServer } from '../support/dns-server.ts';
import { freePort } from '../support/free-port.ts';
import { scratch } from '../support/mosquitto.ts';
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

describe('-S', () => {
  it('connects to the broker that DNS names', async (context) => {
    const { port } = await embeddedBroker(context);
    const record = { name: 'localhost', port, priority: 1, weight: 1 };
    const nowhere = { name: 'localhost', port: await freePort(), priority: 1, weight: 1 };
    const { address } = await dnsServer(context, {
      '_mqtt._tcp.example.test': [record],
      '_mqtt._tcp.down.test': [nowhere],
    });
    const preload = path.join(scratch(context), 'names.cjs');
    writeFileSync(preload, `require('node:dns').setServers([${JSON.stringify(address)}]);`);
    const publish = (domain: string) =>
      runTool('mqtt-pub', ['-S', '-h', domain, '-q', '1', '-t', 'a', '-m', 'm'], {
        env: { NODE_OPTIONS: `--require ${preload}` },
      });
    assert.deepEqual(await publish('example.test'), { code: 0, stdout: '', stderr: '' });
    assert.deepEqual(await publish('down.test'), {
      code: 1,
      stdout: '',
      stderr: `Error: Connection refused\n_mqtt._tcp.down.test names localhost:${nowhere.port} (Connection refused).\n`,
    });
    assert.deepEqual(await publish('other.test'), {
      code: 1,
      stdout: '',
      stderr: 'Unable to connect (Lookup error).\nThere are no SRV records of _mqtt._tcp.other.test.\n',
    });
  });
});
