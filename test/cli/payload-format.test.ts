import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../src/index.ts';
import { runTool } from '../support/cli.ts';
import { embeddedBroker, Observer } from './embedded-broker.ts';

const TEXT = '{"at":{"$tag":1,"value":1363896240},"raw":{"$bytes":"AP8="},"big":18446744073709551615}';

describe('--payload-format', () => {
  it('is understood by mqtt-pub and mqtt-sub', async (context) => {
    const { port, where, subscribed } = await embeddedBroker(context);
    const observer = await Observer.of(context, port, 'kept');
    const sent = await runTool('mqtt-pub', [...where, '-t', 'kept', '-r', '--payload-format', 'cbor', '-m', TEXT]);
    assert.deepEqual(sent, { code: 0, stdout: '', stderr: '' });
    const [message] = await observer.seen(1);
    assert.equal(message?.payload.toString('hex'), 'a3626174c11a514b67b0637261774200ff636269671bffffffffffffffff');
    const ready = subscribed('#');
    const args = [...where, '-t', '#', '--payload-format', 'cbor', '-v', '-C', '3'];
    const receiver = runTool('mqtt-sub', args);
    await ready;
    // Any depth and any declared length: the tool says so and goes on.
    await observer.client.publish('hostile', Buffer.alloc(200_000, 0x81));
    await observer.client.publish('hostile', Buffer.from('9b00ffffffffffffff', 'hex'));
    const why = (what: string): string => `Error: Message payload is not valid CBOR on topic hostile: ${what}.\n`;
    assert.deepEqual(await receiver, {
      code: 0,
      stdout: `kept ${TEXT}\nhostile \nhostile \n`,
      stderr: why('it nests more than 1000 deep') + why('it ends too early'),
    });
  });

  it('is understood by mqtt-rr in both directions', async (context) => {
    const { port, where } = await embeddedBroker(context);
    const server = await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port } });
    context.after(() => server.end());
    server.on('message', ({ payload, properties: { responseTopic, correlationData } }) => {
      assert.equal(payload.toString('hex'), '81a16101');
      const properties = correlationData === undefined ? {} : { correlationData };
      void server.publish(responseTopic ?? '', Buffer.from('93c3c0a161', 'hex'), { properties });
    });
    await server.subscribe('question');
    const args = ['-t', 'question', '-e', 'answer', '--payload-format', 'msgpack', '-m', '{"a":1}'];
    const result = await runTool('mqtt-rr', [...where, ...args, '-W', '10']);
    assert.deepEqual(result, { code: 0, stdout: '[true,null,"a"]\n', stderr: '' });
  });

  it('refuses a payload that is not in it before anything is sent', async (context) => {
    const { where } = await embeddedBroker(context);
    const result = await runTool('mqtt-pub', [...where, '-t', 'a', '--payload-format', 'json', '-s'], {
      stdin: '{"a":1,\n"b":}',
    });
    const stderr = 'Error: The payload is not valid JSON: unexpected "}" at line 2, column 5.\n';
    assert.deepEqual(result, { code: 1, stdout: '', stderr });
  });
});
