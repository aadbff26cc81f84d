import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ReceivedMessage } from '../../src/index.ts';
import { runTool } from '../support/cli.ts';
import { ACCEPTED, embeddedBroker, falseBroker, Observer } from './embedded-broker.ts';

/** Answers every request on `ask` that names a response topic; returns what was asked. */
async function responder(
  context: TestContext,
  port: number,
  answers: (request: ReceivedMessage) => { payload: string; correlationData?: Buffer | undefined }[],
): Promise<Observer> {
  const observer = await Observer.of(context, port, 'ask');
  observer.client.on('message', (request) => {
    const { responseTopic } = request.properties;
    if (responseTopic === undefined) return;
    for (const { payload, correlationData } of answers(request)) {
      const properties = correlationData === undefined ? {} : { correlationData };
      void observer.client.publish(responseTopic, payload, { qos: 1, properties });
    }
  });
  return observer;
}

describe('mqtt-rr', () => {
  it('asks with MQTT 5 and prints the answer', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const observer = await responder(context, port, ({ payload }) => [{ payload: `${payload} yourself` }]);
    const args = [...where, '-t', 'ask', '-e', 'answer/1', '-q', '1'];
    const { code, stdout, stderr } = await runTool('mqtt-rr', [...args, '-m', 'hello', '-v', '-d', '-i', 'me']);
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(lines.slice(0, 5), [
      'Client me sending CONNECT',
      'Client me received CONNACK (0)',
      'Client me sending SUBSCRIBE (Mid: 1, Topic: answer/1, QoS: 1, Options: 0x00)',
      'Client me received SUBACK',
      "Client me sending PUBLISH (d0, q1, r0, m2, 'ask', ... (5 bytes))",
    ]);
    assert.ok(lines.includes('answer/1 hello yourself'));
    assert.equal(lines.at(-1), 'Client me sending DISCONNECT');
    assert.deepEqual([code, stderr], [0, '']);

    const timed = await runTool('mqtt-rr', [...args, '-m', 'hello', '--latency']);
    assert.match(timed.stdout, /^hello yourself\nLatency: \d+\.(\d{3}µs|\d{6}ms|\d{9}s)\n$/);
    assert.deepEqual([timed.code, timed.stderr], [0, '']);

    const formatted = await runTool('mqtt-rr', [...args, '-s', '-F', '%t: %p'], { stdin: 'who' });
    assert.deepEqual(formatted, { code: 0, stdout: 'answer/1: who yourself\n', stderr: '' });
    const line = await runTool('mqtt-rr', [...args, '-n', '--json-lines']);
    assert.deepEqual([line.code, line.stderr], [0, '']);
    assert.equal(JSON.parse(line.stdout).payload, ' yourself');
    const [first, , second] = await observer.seen(4);
    assert.equal(first?.properties.responseTopic, 'answer/1');
    assert.match(String(first?.properties.correlationData), /^[0-9a-f]{32}$/);
    assert.notDeepEqual(first?.properties.correlationData, second?.properties.correlationData);
  });

  it('takes the answer that carries its own correlation data', async (context) => {
    const { port, where } = await embeddedBroker(context);
    await responder(context, port, ({ properties: { correlationData } }) => [
      { payload: 'for somebody else', correlationData: Buffer.from('other') },
      { payload: 'for us', correlationData },
    ]);
    const args = [...where, '-t', 'ask', '-e', 'answers', '-n', '-D', 'publish', 'correlation-data', 'mine'];
    assert.deepEqual(await runTool('mqtt-rr', [...args, '-F', '%p %D']), {
      code: 0,
      stdout: 'for us mine\n',
      stderr: '',
    });
  });

  it('works with 3.1.1, and takes no retained message for an answer', async (context) => {
    const { broker, port, where } = await embeddedBroker(context);
    broker.publish('answer', 'of yesterday', { retain: true });
    const observer = await Observer.of(context, port, 'ask');
    observer.client.on('message', () => void observer.client.publish('answer', 'of today'));
    const result = await runTool('mqtt-rr', [...where, '-V', '311', '-t', 'ask', '-e', 'answer', '-m', '?']);
    assert.deepEqual(result, { code: 0, stdout: 'of today\n', stderr: '' });
    assert.deepEqual((await observer.seen(1))[0]?.properties, {});
  });

  it('ends where no answer can come or none comes in time', async (context) => {
    const { where } = await embeddedBroker(context);
    const late = await runTool('mqtt-rr', [...where, '-t', 'ask', '-e', 'answer', '-m', '?', '-W', '0.5']);
    assert.deepEqual(late, { code: 27, stdout: '', stderr: 'Timed out\n' });
    const deaf = await runTool('mqtt-rr', [...where, '-t', 'ask', '-e', 'denied/answer', '-m', '?']);
    const refused = "Error: The subscription to 'denied/answer' was refused: Not authorized.\n";
    const why = "The broker says: Not authorized to subscribe to 'denied/answer'.\n";
    assert.deepEqual(deaf, { code: 1, stdout: '', stderr: refused + why });
    const words = "The broker says: Not authorized to publish to 'denied/ask'.\n";
    const mute = await runTool('mqtt-rr', [...where, '-t', 'denied/ask', '-e', 'answer', '-m', '?', '-q', '1']);
    assert.deepEqual(mute, { code: 1, stdout: '', stderr: `Warning: Publish 2 failed: Not authorized.\n${words}` });
    const denied = ['-t', 'denied/ask', '-e', 'answer', '-m', '?', '-q', '1', '--fail-on-denied'];
    assert.equal((await runTool('mqtt-rr', [...where, ...denied])).code, 135);
    const nobody = await runTool('mqtt-rr', [...where, '-t', 'ask', '-e', 'answer', '-m', '?', '-u', 'nobody']);
    assert.deepEqual(nobody, {
      code: 135,
      stdout: '',
      stderr: 'Connection error: Not authorized\nThe broker says: Not authorized to connect.\n',
    });
  });

  it('ends with code 7 where the connection is lost', async (context) => {
    const port = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) socket.write(ACCEPTED);
      else socket.destroy();
    });
    const args = ['-h', '127.0.0.1', '-p', String(port), '-V', '311', '-t', 'ask', '-e', 'answer', '-m', '?'];
    assert.deepEqual(await runTool('mqtt-rr', args), {
      code: 7,
      stdout: '',
      stderr: 'Error: The connection was lost.\n',
    });
  });

  it('ends when the request is larger than the broker takes', async (context) => {
    const { where } = await embeddedBroker(context, 0, { global: { maxPacketSize: 100 } });
    const result = await runTool('mqtt-rr', [...where, '-t', 'ask', '-e', 'answer', '-m', 'x'.repeat(200)]);
    assert.equal(result.code, 25);
    assert.match(result.stderr, /^Error: A packet of \d+ bytes is larger than the 100 that the broker takes\.\n$/);
  });
});
