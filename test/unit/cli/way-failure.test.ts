// What is said where a proxy or DNS is on the way to the broker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whileConnecting } from '../../../src/cli/commands/explain-connecting.ts';
import { failureOf } from '../../../src/cli/commands/failure.ts';
import { ConnectionLost } from '../../../src/client/errors.ts';
import type { Endpoint } from '../../../src/client/options.ts';
import { type DialStage, noteDial } from '../../../src/net/dial-facts.ts';
import { LookupError } from '../../../src/net/lookup-error.ts';
import { ProxyError, type ProxyFault } from '../../../src/net/proxy-error.ts';

const PROXIED: Endpoint = { kind: 'tcp', host: 'b', port: 1883, proxy: { host: '192.0.2.1', port: 1080 } };

/** What is said about an error of an attempt to connect. */
const said = (error: Error, endpoint: Endpoint) => failureOf(whileConnecting(error, endpoint));

const system = (code: string): Error => Object.assign(new Error(code), { code });

test('each fault of a proxy has a sentence of Mosquitto and its exit code', () => {
  const cases: readonly (readonly [ProxyFault, string, number])[] = [
    ['method', 'Error: Authorisation failed.', 11],
    ['login', 'Error: Proxy error.', 16],
    ['rules', 'Error: Authorisation failed.', 11],
    ['target', 'Error: The client is not currently connected.', 4],
    ['protocol', 'Error: Proxy error.', 16],
    ['unreachable', 'Error: Connection refused', 1],
  ];
  for (const [fault, sentence, code] of cases) {
    const error = new ProxyError(fault, 'What happened.', system('ECONNREFUSED'));
    assert.deepEqual(said(error, PROXIED), { sentences: [sentence], details: ['What happened.'], code });
  }
});

test('a proxy that nobody knows, or that DNS does not', () => {
  const error = new ProxyError('unreachable', 'What happened.', system('ENOTFOUND'));
  assert.deepEqual(said(error, PROXIED).sentences, ['Unable to connect (Lookup error).']);
});

test('what came too late is the matter of whoever was silent', () => {
  const late = (stage: DialStage): readonly string[] => {
    const error = new ConnectionLost('No connection was made within 2 seconds');
    noteDial(error, stage, []);
    return said(error, PROXIED).details;
  };
  assert.match(late('connect')[0] ?? '', /^No answer at all from 192\.0\.2\.1:1080 within 2 seconds:/);
  assert.deepEqual(late('proxy'), ['The SOCKS proxy 192.0.2.1:1080 made no connection to b:1883 in time.']);
  assert.match(
    late('connack')[0] ?? '',
    /^b:1883 behind the SOCKS proxy 192\.0\.2\.1:1080 took the connection and did not/,
  );
});

test('brokers that DNS names are explained by the last one, and none by the name', () => {
  const endpoint: Endpoint = { kind: 'tcp', host: 'example.org', port: 1883, srv: {} };
  const tried = new LookupError('Which were tried.', true, system('ECONNREFUSED'));
  assert.deepEqual(said(tried, endpoint), {
    sentences: ['Error: Connection refused'],
    details: ['Which were tried.'],
    code: 1,
  });
  const none = new LookupError('There are none.', false, null);
  assert.deepEqual(said(none, endpoint).sentences, ['Unable to connect (Lookup error).']);
  const late = new ConnectionLost('No connection was made within 2 seconds');
  noteDial(late, 'connect', [{ address: '192.0.2.1', port: 8, code: null }]);
  assert.match(
    said(late, endpoint).details[0] ?? '',
    /^No answer at all from the brokers of example\.org \(tried 192\.0\.2\.1:8\)/,
  );
});

test('a name that is too long to be one is not found', () => {
  const error = Object.assign(new Error('getaddrinfo EINVAL'), { code: 'EINVAL', syscall: 'getaddrinfo' });
  assert.deepEqual(failureOf(error).sentences, ['Unable to connect (Lookup error).']);
});
