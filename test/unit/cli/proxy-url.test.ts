// The URL of --proxy.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectionOptions } from '../../../src/cli/connection.ts';
import { parseArguments } from '../../../src/cli/parse.ts';

const proxyOf = (url: string, ...words: string[]) =>
  connectionOptions('sub', parseArguments('sub', ['-t', 'a', '--proxy', url, ...words]).options, {}).endpoint.proxy;

describe('--proxy', () => {
  it('a host, and port 1080', () => assert.deepEqual(proxyOf('socks5h://p'), { host: 'p', port: 1080 }));
  it('a port', () => assert.deepEqual(proxyOf('SOCKS5H://p:1/'), { host: 'p', port: 1 }));
  it('an IPv6 address', () => assert.deepEqual(proxyOf('socks5h://[::1]:9'), { host: '::1', port: 9 }));
  it('names looked up here', () =>
    assert.deepEqual(proxyOf('socks5://p'), { host: 'p', port: 1080, resolvesHere: true }));

  it('a login with any characters', () => {
    assert.deepEqual(proxyOf('socks5h://t%40m:a%3Ab%25@p'), {
      host: 'p',
      port: 1080,
      username: 't@m',
      password: 'a:b%',
    });
    assert.deepEqual(proxyOf('socks5h://tom:a:b@c@p'), { host: 'p', port: 1080, username: 'tom', password: 'a:b@c' });
    assert.deepEqual(proxyOf('socks5h://tom@p'), { host: 'p', port: 1080, username: 'tom' });
    assert.deepEqual(proxyOf('socks5h://@p'), { host: 'p', port: 1080 });
  });

  it('wrong ones, none of which shows a password', () => {
    const long = 'x'.repeat(256);
    for (const [url, sentence] of [
      ['http://p', 'Unsupported proxy protocol: http://p'],
      ['http://tom:secret@p', 'Unsupported proxy protocol: http://p'],
      ['tom:secret@p', 'Unsupported proxy protocol: p'],
      ['tom:secret', 'Unsupported proxy protocol: tom:***'],
      ['http://tom:secret', 'Unsupported proxy protocol: http://tom:***'],
      ['http://p:80', 'Unsupported proxy protocol: http://p:80'],
      [
        'socks5h://tom:secret',
        'Invalid proxy port.\nA user name and a password stand in front of the host: USER:PASSWORD@HOST.',
      ],
      ['socks5h://', 'Invalid proxy.'],
      ['socks5h://tom:secret@', 'Invalid proxy.'],
      ['socks5h://p:0', 'Invalid proxy port 0'],
      ['socks5h://p:99999', 'Invalid proxy port 99999'],
      ['socks5h://p:', 'Invalid proxy port '],
      ['socks5h://:secret@p', 'Invalid proxy.\nA password needs a user name.'],
      [`socks5h://u:${long}@p`, 'Invalid proxy.\nIts user name and password have at most 255 bytes each.'],
    ] as const) {
      assert.throws(() => proxyOf(url), { name: 'UsageError', message: sentence });
    }
  });

  it('not with a Unix socket', () => {
    assert.throws(() => proxyOf('socks5h://p', '--unix', '/s'), /--proxy and --unix cannot be used together\./);
  });
});
