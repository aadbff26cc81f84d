import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Console } from '../../../../src/cli/commands/console.ts';
import { Denials } from '../../../../src/cli/commands/denials.ts';
import { SpoolSender } from '../../../../src/cli/commands/spool-sender.ts';
import { MessageEncoder } from '../../../../src/cli/spool/records.ts';
import { SpoolFile } from '../../../../src/cli/spool/spool-file.ts';
import type { Client, PublishResult } from '../../../../src/client/options.ts';
import { NO_PROPERTIES } from '../../../../src/protocol/properties.ts';
import { SUCCESS } from '../../../../src/protocol/reasons.ts';
import { scratch } from '../../../support/mosquitto.ts';

/** A client that takes messages at once, and is drained when the test says so. */
class SlowClient {
  readonly published: string[] = [];
  /** Payload that stays with the client until `release` is called, as with one that the broker does not read. */
  held = '';
  release: () => void = () => undefined;
  readonly #waiting: (() => void)[] = [];

  publish(_topic: string, payload: Buffer): Promise<PublishResult> {
    const text = payload.toString();
    this.published.push(text);
    const result = { id: 0, reason: SUCCESS, properties: NO_PROPERTIES };
    if (text !== this.held) return Promise.resolve(result);
    return new Promise((resolve) => {
      this.release = () => resolve(result);
    });
  }

  drained(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets who waits go on, once there is somebody. */
  async drain(): Promise<void> {
    for (let turns = 0; this.#waiting.length === 0; turns++) {
      if (turns > 100) throw new Error('nobody waits');
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#waiting.shift()?.();
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

function spoolOf(context: TestContext, ...lines: string[]): SpoolFile {
  const spool = new SpoolFile(path.join(scratch(context), 'spool'));
  const records = new MessageEncoder('t', { qos: 0 }).encode(lines.map((line) => Buffer.from(line)));
  spool.append(records, lines.length);
  context.after(() => spool.close());
  return spool;
}

function senderOf(client: SlowClient, spool: SpoolFile): SpoolSender {
  const console = {} as Console;
  return new SpoolSender(client as unknown as Client, spool, console, new Denials(console, false), () => undefined);
}

test('a line of QoS 0 is done when the system has it, and not before', async (context) => {
  const client = new SlowClient();
  const spool = spoolOf(context, 'a', 'b');
  const sender = senderOf(client, spool);
  sender.inputIsOver();
  const sent = sender.untilEmpty();
  await client.drain();
  assert.deepEqual([client.published, spool.kept], [['a', 'b'], 2]);
  await client.drain();
  assert.equal(spool.kept, 0);
  await client.drain();
  await sent;
  assert.deepEqual(client.published, ['a', 'b']);
});

test('lines of QoS 0 that a lost connection may have taken with it are sent again, in front of new ones', async (context) => {
  const client = new SlowClient();
  const spool = spoolOf(context, 'a', 'b');
  const sender = senderOf(client, spool);
  const sent = sender.untilEmpty();
  await client.drain();
  sender.connectionLost();
  spool.append(new MessageEncoder('t', { qos: 0 }).encode([Buffer.from('c')]), 1);
  sender.inputIsOver();
  await client.drain();
  assert.equal(spool.kept, 3);
  for (let i = 0; i < 5; i++) await client.drain();
  await sent;
  assert.deepEqual(client.published, ['a', 'b', 'a', 'b', 'c']);
  assert.equal(spool.kept, 0);
});

test('a line that left the client while others were waited for is waited for by itself', async (context) => {
  const client = new SlowClient();
  client.held = 'b';
  const spool = spoolOf(context, 'a', 'b');
  const sender = senderOf(client, spool);
  sender.inputIsOver();
  const sent = sender.untilEmpty();
  await client.drain();
  client.release();
  await client.drain();
  assert.equal(spool.kept, 1);
  await client.drain();
  await client.drain();
  assert.equal(spool.kept, 0);
  await client.drain();
  await sent;
});
