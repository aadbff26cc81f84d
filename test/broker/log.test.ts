// What the broker logs, in Mosquitto's words: the lines that scripts and people look for.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { MQTT311 } from '../../src/protocol/version.ts';
import { freePort } from '../support/free-port.ts';
import { built, Program } from '../support/process.ts';
import { connectBytes, RawClient } from '../support/raw-client.ts';
import { join, open, openFile, refusal } from './harness.ts';

/** Log text without time stamps and without the ports of clients. */
function plain(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\d+: /, '').replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT'));
}

test('-v tells of every packet of a connection', async (context) => {
  const port = await freePort();
  const broker = new Program(process.execPath, [built('mqtt-broker'), '-v', '-p', String(port)]);
  context.after(() => broker.stop());
  await broker.seen(/version \S+ running\n/, 'stderr');
  const client = await join(context, port, {
    clientId: 'MQTT_FX_Client',
    version: '3.1.1',
    will: { topic: 'w/t', payload: Buffer.from('gone'), qos: 1, retain: true, properties: {} },
    username: 'tom',
    keepAlive: 1,
  });
  await broker.seen('Sending PINGRESP to MQTT_FX_Client\n', 'stderr');
  await client.subscribe([{ filter: 'home/#', qos: 1 }, 'x/+']);
  await client.publish('home/garden/fountain/2', 'on in 5 secs');
  await client.inbox.next();
  await client.publish('home/one', 'hello', { qos: 1 });
  await client.inbox.next();
  await client.publish('home/two', 'hello', { qos: 2 });
  await client.unsubscribe('x/+');
  await client.end();
  await broker.seen('disconnected', 'stderr');
  const { code } = await broker.stop();
  assert.equal(code, 0);
  const lines = plain(broker.stderr);
  assert.deepEqual(lines.slice(0, 8), [
    lines[0]!.replace(/version .* starting/, 'version 0.1.0 starting'),
    'Using default config.',
    'Starting in local only mode. Connections will only be possible from clients running on this machine.',
    'Create a configuration file which defines a listener to allow remote access.',
    'For more details see the man page mqtt-broker.conf(5).',
    `Opening ipv4 listen socket on port ${port}.`,
    `Opening ipv6 listen socket on port ${port}.`,
    lines[0]!.replace('starting', 'running'),
  ]);
  assert.match(broker.stderr, /^\d{10}: mqtt-broker version \S+ starting\n/);
  assert.equal(lines.at(-1), lines[0]!.replace('starting', 'terminating'));
  const pings = ['Received PINGREQ from MQTT_FX_Client', 'Sending PINGRESP to MQTT_FX_Client'];
  assert.ok(lines.join('\n').includes(pings.join('\n')));
  assert.deepEqual(
    lines.slice(8, -1).filter((line) => !pings.includes(line)),
    [
      `New connection from 127.0.0.1:PORT on port ${port}.`,
      "New client connected from 127.0.0.1:PORT as MQTT_FX_Client (p4, c1, k1, u'tom').",
      'Will message specified (4 bytes) (r1, q1).',
      '\tw/t',
      'Sending CONNACK to MQTT_FX_Client (0, 0)',
      'Received SUBSCRIBE from MQTT_FX_Client',
      '\thome/# (QoS 1)',
      'MQTT_FX_Client 1 home/#',
      '\tx/+ (QoS 0)',
      'MQTT_FX_Client 0 x/+',
      'Sending SUBACK to MQTT_FX_Client',
      "Received PUBLISH from MQTT_FX_Client (d0, q0, r0, m0, 'home/garden/fountain/2', ... (12 bytes))",
      "Sending PUBLISH to MQTT_FX_Client (d0, q0, r0, m0, 'home/garden/fountain/2', ... (12 bytes))",
      "Received PUBLISH from MQTT_FX_Client (d0, q1, r0, m2, 'home/one', ... (5 bytes))",
      "Sending PUBLISH to MQTT_FX_Client (d0, q1, r0, m1, 'home/one', ... (5 bytes))",
      'Sending PUBACK to MQTT_FX_Client (m2, rc0)',
      'Received PUBACK from MQTT_FX_Client (Mid: 1, RC:0)',
      "Received PUBLISH from MQTT_FX_Client (d0, q2, r0, m3, 'home/two', ... (5 bytes))",
      "Sending PUBLISH to MQTT_FX_Client (d0, q1, r0, m2, 'home/two', ... (5 bytes))",
      'Sending PUBREC to MQTT_FX_Client (m3, rc0)',
      'Received PUBREL from MQTT_FX_Client (Mid: 3)',
      'Sending PUBCOMP to MQTT_FX_Client (m3)',
      'Received PUBACK from MQTT_FX_Client (Mid: 2, RC:0)',
      'Received UNSUBSCRIBE from MQTT_FX_Client',
      '\tx/+',
      'MQTT_FX_Client x/+',
      'Sending UNSUBACK to MQTT_FX_Client',
      'Received DISCONNECT from MQTT_FX_Client',
      'Client MQTT_FX_Client [127.0.0.1:PORT] disconnected.',
    ],
  );
});

test('a refusal, a denial, a take-over and an abrupt end are logged with name and address', async (context) => {
  const { port, log } = await openFile(
    context,
    [`listener ${await freePort()} 127.0.0.1`, 'allow_anonymous true', 'acl_file FOLDER/acl', 'max_keepalive 100'],
    { acl: 'topic readwrite open/#\ntopic write half\n' },
  );
  assert.equal(await refusal(port, { version: '3.1.1', keepAlive: 200, clientId: 'long' }), 2);
  await log.seen('Sending CONNACK to 127.0.0.1 (0, 2)');
  await log.seen(/Client 127\.0\.0\.1 \[127\.0\.0\.1:\d+\] disconnected: client identifier not valid\.\n/);
  const client = await join(context, port, { clientId: 'ann' });
  await client.subscribe(['half', { filter: 'open/a', qos: 1 }]);
  await client.publish('shut', 'abc', { qos: 1 });
  await log.seen("Denied PUBLISH from ann (d0, q1, r0, m2, 'shut', ... (3 bytes))");
  await log.seen('Sending PUBACK to ann (m2, rc135)');
  await client.publish('half', 'abc');
  await log.seen("Denied PUBLISH to ann (q0, r0, 'half', ... (3 bytes))");
  const second = await RawClient.join(port, 'ann');
  await log.seen('Client ann already connected, closing old connection.');
  await log.seen('Sending DISCONNECT to ann (rc142)');
  await log.seen(/Client ann \[127\.0\.0\.1:\d+\] disconnected: session taken over\.\n/);
  second.socket.destroy();
  await log.seen(/Client ann \[127\.0\.0\.1:\d+\] disconnected: connection closed by client\.\n/);
  const stranger = await RawClient.open(port);
  stranger.send(Buffer.from([0xc0, 0x00]));
  await stranger.ended();
  await log.seen(/Protocol error from 127\.0\.0\.1:\d+: First packet not CONNECT \(C0\)\.\n/);
  await log.seen(/Client 127\.0\.0\.1 \[127\.0\.0\.1:\d+\] disconnected: protocol error\.\n/);
});

test('log_type chooses what is logged', async (context) => {
  const { port, log } = await openFile(
    context,
    [`listener ${await freePort()} 127.0.0.1`, 'allow_anonymous true', 'log_type subscribe', 'log_timestamp false'],
    {},
    { verbosity: 'configured' },
  );
  const client = await join(context, port, { clientId: 'ann' });
  await client.subscribe({ filter: 'a/#', qos: 2 });
  await client.unsubscribe('a/#');
  await log.seen('ann 2 a/#\n');
  assert.equal(log.text, 'ann 2 a/#\n');
});

test('without -v connections are logged and packets are not; with connection_messages false neither', async (context) => {
  for (const connectionMessages of [true, false]) {
    const { port, log, broker } = await open(
      context,
      { global: { connectionMessages, logTimestamp: false } },
      {
        verbosity: 'configured',
      },
    );
    const client = await join(context, port, { clientId: 'ann' });
    await client.publish('a', 'b', { qos: 1 });
    await client.end();
    await broker.stop();
    const lines = plain(log.text).filter((line) => !line.includes('version') && !line.startsWith('Opening'));
    assert.deepEqual(
      lines,
      connectionMessages
        ? [
            'Using default config.',
            lines[1],
            'New client connected from 127.0.0.1:PORT as ann (p5, c1, k60).',
            'Client ann [127.0.0.1:PORT] disconnected.',
          ]
        : ['Using default config.'],
    );
    if (connectionMessages) assert.match(lines[1] ?? '', /^New connection from 127\.0\.0\.1:PORT on port \d+\.$/);
  }
});

test('log_timestamp_format shapes the time', async (context) => {
  const { log } = await open(context, { global: { logTimestampFormat: '%Y-%m-%dT%H:%M:%S' } });
  await log.seen(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d: mqtt-broker version \S+ starting\n/);
});

test('log_dest topic publishes lines to those who subscribe, debug never', async (context) => {
  const { port } = await openFile(context, [
    'log_dest topic',
    `listener ${await freePort()} 127.0.0.1`,
    'allow_anonymous true',
  ]);
  const reader = await join(context, port, { clientId: 'reader' });
  await reader.subscribe({ filter: '$SYS/broker/log/#', qos: 2 });
  const other = await join(context, port, { clientId: 'other' });
  await other.subscribe('some/topic');
  const seen: string[] = [];
  while (!seen.some((topic) => topic.endsWith('M/subscribe'))) {
    const { topic, payload, qos } = await reader.inbox.next();
    assert.equal(qos, 2);
    assert.match(payload.toString(), /^\d{10}: /);
    seen.push(topic);
    if (topic.endsWith('M/subscribe') && !payload.toString().endsWith('other 0 some/topic')) seen.pop();
  }
  assert.ok(seen.includes('$SYS/broker/log/N'));
  assert.deepEqual(new Set(seen), new Set(['$SYS/broker/log/N', '$SYS/broker/log/M/subscribe']));
});

test('what a client calls itself cannot forge a line of the log', async (context) => {
  const { port, log } = await open(context);
  const client = await RawClient.open(port, MQTT311);
  client.send(connectBytes('x\n1700000000: Client root connected', { profile: MQTT311 }));
  await client.ended();
  await log.seen('disconnected');
  assert.equal(log.count('\n1700000000'), 0);
});
