import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureOf } from '../../../src/cli/commands/failure.ts';
import { ConnectionLost, ConnectRefused, InvalidRequest } from '../../../src/client/errors.ts';
import { UpgradeRefused } from '../../../src/net/dial-facts.ts';
import { MalformedPacket } from '../../../src/protocol/errors.ts';
import {
  BAD_USERNAME_OR_PASSWORD,
  KEEP_ALIVE_TIMEOUT,
  PACKET_TOO_LARGE,
  QOS_NOT_SUPPORTED,
  SERVER_MOVED,
  SESSION_TAKEN_OVER,
  TOPIC_NAME_INVALID,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../../../src/protocol/reasons.ts';
import { MQTT5, MQTT311 } from '../../../src/protocol/version.ts';

const system = (code: string, message = 'read failed'): Error => Object.assign(new Error(message), { code });

const NO_MQTT = 'Error: A network protocol error occurred when communicating with the broker.';

const cases: [what: string, error: Error, code: number, sentences: readonly (string | RegExp)[]][] = [
  [
    'a refusal of 3.x',
    new ConnectRefused(MQTT311, BAD_USERNAME_OR_PASSWORD, {}),
    4,
    ['Connection error: Connection Refused: bad user name or password.'],
  ],
  [
    'a refusal of 5 with the words of the broker',
    new ConnectRefused(MQTT5, SERVER_MOVED, {
      reasonString: 'see\u001b[2J there\n',
      serverReference: `example.org:1883 ${'x'.repeat(1000)}`,
    }),
    157,
    [
      'Connection error: Server moved',
      'The broker says: see\\x1b[2J there\\x0a',
      /^The broker names another server: example\.org:1883 x{483}…$/,
    ],
  ],
  [
    'a broker that does not know MQTT 5',
    new ConnectRefused(MQTT5, UNSUPPORTED_PROTOCOL_VERSION, {}),
    132,
    ['Connection error: Unsupported protocol version. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.'],
  ],
  ['a lost connection', new ConnectionLost('The connection was lost: EPIPE'), 7, ['Error: The connection was lost.']],
  [
    'a goodbye of the broker',
    new ConnectionLost('The broker closed the connection: Session taken over', SESSION_TAKEN_OVER),
    7,
    [
      'Error: The broker closed the connection: Session taken over.',
      'Another client connected with the same client id. Give each one an id of its own (-i, or -I).',
    ],
  ],
  [
    'a goodbye with the words of the broker',
    new ConnectionLost('The broker closed the connection: Server moved', SERVER_MOVED, null, {
      reasonString: 'we are elsewhere now',
      serverReference: 'example.org',
    }),
    7,
    [
      'Error: The broker closed the connection: Server moved.',
      'The broker says: we are elsewhere now',
      'The broker names another server: example.org',
      'Connect to the server that it names, or ask whoever runs the broker.',
    ],
  ],
  [
    'a goodbye because we were silent',
    new ConnectionLost('The broker closed the connection: Keep alive timeout', KEEP_ALIVE_TIMEOUT),
    7,
    ['Error: The broker closed the connection: Keep alive timeout.', /heard nothing for .*keep-alive \(-k\)/],
  ],
  [
    'a silent broker',
    new ConnectionLost('The broker did not answer within the keep-alive', KEEP_ALIVE_TIMEOUT),
    19,
    ['Error: The broker did not answer within the keep-alive.'],
  ],
  ['a message that is too large', new InvalidRequest(PACKET_TOO_LARGE, 'too large'), 25, ['Error: Too large.']],
  ['a quality that is refused', new InvalidRequest(QOS_NOT_SUPPORTED, 'no QoS 2'), 24, ['Error: No QoS 2.']],
  ['a request that is none', new InvalidRequest(TOPIC_NAME_INVALID, 'bad topic'), 1, ['Error: Bad topic.']],
  ['noise', new MalformedPacket('bad length'), 2, [NO_MQTT, 'The broker broke the protocol: bad length.']],
  ['no WebSocket', new UpgradeRefused(404, '404 Not Found'), 2, [NO_MQTT]],
  ['an unknown host', system('EAI_AGAIN'), 1, ['Unable to connect (Lookup error).']],
  ['a system error', system('EHOSTUNREACH'), 1, ['Error: No route to host']],
  ['a TLS error', system('CERT_HAS_EXPIRED'), 14, ['Error: A TLS error occurred.', /expired/]],
  [
    'a certificate that is refused after the handshake',
    new ConnectionLost('The connection was lost', null, system('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')),
    14,
    ['Error: A TLS error occurred.', /requires a certificate/],
  ],
];

describe('failures', () => {
  for (const [what, error, code, sentences] of cases) {
    it(`explains ${what}`, () => {
      const failure = failureOf(error);
      assert.equal(failure.code, code);
      const all = [...failure.sentences, ...failure.details];
      assert.equal(all.length, sentences.length);
      sentences.forEach((sentence, i) => {
        const said = all[i] ?? '';
        if (typeof sentence === 'string') assert.equal(said, sentence);
        else assert.match(said, sentence);
      });
    });
  }

  it('lets bugs through', () => {
    for (const bug of [new TypeError('x is not a function'), new Error('no code'), 'text']) {
      assert.throws(
        () => failureOf(bug),
        (error) => error === bug,
      );
    }
  });
});
