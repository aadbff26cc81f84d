// A conversation of the project's client with the project's broker that uses as much of the protocol as the version has, for
// others to read. Every step waits for the one before, so that the packets of each client have one order only.
import assert from 'node:assert/strict';
import { ALLOW, DEFER, DENY, type Plugin, READ } from '../../src/broker/hooks/points.ts';
import { connect } from '../../src/client/client.ts';
import { ConnectRefused } from '../../src/client/errors.ts';
import type { Client, ClientOptions, Endpoint } from '../../src/client/options.ts';
import { PINGRESP } from '../../src/protocol/constants.ts';
import type { Properties } from '../../src/protocol/properties.ts';

export type VersionName = NonNullable<ClientOptions['version']>;

/** Configuration that the conversation counts on, beside a listener. */
export const CONVERSATION_CONFIG: readonly string[] = [
  'allow_anonymous true',
  'max_topic_alias 5',
  'max_inflight_messages 7',
  'max_keepalive 50',
  'max_packet_size 100000',
  'sys_interval 0',
];

/** Nobody may subscribe to or write below `forbidden`; who names the method `riddle` is asked a question. */
export const STRICT: Plugin = {
  name: 'strict',
  authorize: (_client, access, topic) => (access !== READ && topic.startsWith('forbidden') ? DENY : ALLOW),
  authenticate: () => ALLOW,
  authStep(_client, _method, data, first) {
    if (first) return { decision: DEFER, data: Buffer.from('question') };
    return { decision: data?.toString() === 'answer' ? ALLOW : DENY, data: Buffer.from('welcome') };
  },
};

/** What MQTT 5 adds to a message. */
const MESSAGE: Properties = {
  payloadFormatIndicator: 1,
  messageExpiryInterval: 300,
  contentType: 'text/plain',
  responseTopic: 'answers/here',
  correlationData: Buffer.from([0, 1, 255]),
  userProperties: [
    ['b', '1'],
    ['a', '2'],
    ['b', '1'],
  ],
};

/** Has clients talk over an endpoint until everything was said. */
export async function converse(endpoint: Endpoint, version: VersionName): Promise<void> {
  const dial = (clientId: string, options: Partial<ClientOptions> = {}): Promise<Client> =>
    connect({ endpoint, version, clientId, keepAlive: 30, ...options });
  const reader = await dial('reader', {
    cleanStart: false,
    username: 'tom',
    password: 'secret',
    will: {
      topic: 'wills/reader',
      payload: Buffer.from('gone'),
      qos: 1,
      retain: true,
      properties: { ...MESSAGE, willDelayInterval: 5 },
    },
    properties: {
      sessionExpiryInterval: 60,
      receiveMaximum: 3,
      maximumPacketSize: 50_000,
      topicAliasMaximum: 2,
      requestResponseInformation: 1,
      requestProblemInformation: 1,
      userProperties: [['who', 'reader']],
    },
  });
  const messages = reader.messages()[Symbol.asyncIterator]();
  const writer = await dial('writer', { properties: { topicAliasMaximum: 0 } });
  const reads = async (topic: string): Promise<void> => {
    const { value } = await messages.next();
    assert.equal(value.topic, topic);
  };

  const kept = { qos: 1, retain: true, properties: MESSAGE } as const;
  await writer.publish('kept', 'state', kept);
  const named = { subscriptionIdentifier: 9, userProperties: [['p', 'q']] } satisfies Properties;
  await reader.subscribe(
    [{ filter: 'talk/#', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 1 }],
    named,
  );
  await reader.subscribe({ filter: 'kept', qos: 1 }, { subscriptionIdentifier: 300 });
  await reads('kept');
  await reader.subscribe(['forbidden/a', { filter: '$share/group/jobs', qos: 1 }]);
  for (const qos of [0, 1, 2] as const) {
    await writer.publish(`talk/${qos}`, 'x', { qos, properties: MESSAGE });
    await reads(`talk/${qos}`);
  }
  await writer.publish('jobs', '', { qos: 1 });
  await reads('jobs');
  for (const properties of [{ topicAlias: 1 }, { topicAlias: 1 }] satisfies Properties[]) {
    await writer.publish('talk/alias', 'y', { properties });
    await reads('talk/alias');
  }
  await writer.publish('forbidden/b', 'no', { qos: 1 });
  await writer.publish('forbidden/b', 'no', { qos: 2 });
  await writer.publish('nobody/listens', 'z', { qos: 2, properties: { userProperties: [['k', 'v']] } });
  await writer.publish('talk/long', 'l'.repeat(40_000), { qos: 1 });
  await reads('talk/long');
  await writer.publish('kept', '', kept);
  await reads('kept');
  await reader.unsubscribe(['talk/#', 'never/there'], { userProperties: [['u', 'v']] });

  // MQTT 3.1 has no empty client ids; only MQTT 5 can be told of a shorter keep-alive.
  if (version !== '3.1') await (await dial('', version === '5' ? { keepAlive: 60 } : {})).end();

  if (version === '5') await riddles(endpoint);

  let answered: () => void = () => undefined;
  const pong = new Promise<void>((resolve) => (answered = resolve));
  const received = ({ type }: { type: number }): void => (type === PINGRESP ? answered() : undefined);
  // The broker says goodbye to the one whose id it takes.
  const rival = await dial('writer', { keepAlive: 1, trace: { sending: () => undefined, received } });
  await pong;
  await rival.end();
  await reader.end(4, { sessionExpiryInterval: 0, reasonString: 'enough', userProperties: [['bye', 'now']] });
}

/** Enhanced authentication at CONNECT and again later; a wrong answer. */
async function riddles(endpoint: Endpoint): Promise<void> {
  const dial = (clientId: string, answer: string): Promise<Client> => {
    const step = (): Buffer => Buffer.from(answer);
    return connect({ endpoint, clientId, authentication: { method: 'riddle', data: Buffer.from('hello'), step } });
  };
  const knowing = await dial('oedipus', 'answer');
  await knowing.reauthenticate();
  await knowing.end();
  await assert.rejects(dial('creon', 'no idea'), ConnectRefused);
}
