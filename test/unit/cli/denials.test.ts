import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Console } from '../../../src/cli/commands/console.ts';
import { Denials, refusedSubscriptions } from '../../../src/cli/commands/denials.ts';
import { Publisher } from '../../../src/cli/commands/publisher.ts';
import type { Options } from '../../../src/cli/options/tables.ts';
import type { Client, ClientTrace } from '../../../src/client/options.ts';
import { SUBACK } from '../../../src/protocol/constants.ts';
import { NOT_AUTHORIZED, QUOTA_EXCEEDED, type Reason, SUCCESS } from '../../../src/protocol/reasons.ts';

/** Refusals and what is said of them. */
function denials(matter: boolean): { denials: Denials; said: string[] } {
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
  };
  const console = {
    error: say,
    warn: say,
    quote: (lines: readonly string[]) => said.push(...lines),
  } as unknown as Console;
  return { denials: new Denials(console, matter), said };
}

const refused = { id: 1, codes: [0, 0x87, 0x97], properties: { reasonString: 'no' } };
const FILTERS = ['a', 'b', 'c'];

describe('what the broker refuses', () => {
  it('changes the exit code where it matters, and only then', () => {
    for (const [matter, code] of [
      [false, 27],
      [true, 135],
    ] as const) {
      const { denials: those } = denials(matter);
      assert.equal(those.exitCode(27), 27);
      those.note();
      assert.equal(those.exitCode(27), code);
    }
  });

  it('is told of each subscription, and ends the tool where it matters', () => {
    const warnings = [
      "Warning: Subscription to 'b' was refused: Not authorized.",
      "Warning: Subscription to 'c' was refused: Quota exceeded.",
      'The broker says: no',
    ];
    for (const matter of [false, true]) {
      const { denials: those, said } = denials(matter);
      assert.equal(those.subscribed(FILTERS, refused), matter);
      assert.deepEqual(said, warnings);
    }
    const { denials: all, said } = denials(false);
    assert.equal(all.subscribed(['a'], { id: 1, codes: [0x80], properties: {} }), true);
    assert.deepEqual(said, ['All subscription requests were denied.']);
  });

  it('is no matter for the end of a subscription without the option', () => {
    const silent = denials(false);
    assert.equal(silent.denials.unsubscribed(FILTERS, refused), false);
    assert.deepEqual(silent.said, []);
    const loud = denials(true);
    assert.equal(loud.denials.unsubscribed(FILTERS, refused), true);
    assert.equal(loud.said.length, 3);
    // A broker of 3.x answers without codes.
    assert.equal(denials(true).denials.unsubscribed(FILTERS, { id: 1, codes: [], properties: {} }), false);
  });

  it('shows in the trace also where the client subscribes anew by itself', () => {
    const seen: Reason[] = [];
    const passed: unknown[] = [];
    const inner: ClientTrace = { sending: () => undefined, received: (packet) => passed.push(packet) };
    const trace = refusedSubscriptions(inner, (reason) => seen.push(reason));
    trace.received({ type: SUBACK, id: 1, codes: [0, 1], properties: {} });
    trace.received({ type: SUBACK, id: 2, codes: [0, QUOTA_EXCEEDED.code], properties: {} });
    assert.deepEqual(seen, [QUOTA_EXCEEDED]);
    assert.equal(passed.length, 2);
  });

  it('is counted among the messages', async () => {
    const { denials: those, said } = denials(true);
    const answers = [SUCCESS, NOT_AUTHORIZED];
    const client = {
      on: () => undefined,
      publish: () => Promise.resolve({ id: 1, reason: answers.shift(), properties: {} }),
    } as unknown as Client;
    const publisher = new Publisher(client, { topic: 't', qos: 1, properties: [] } as unknown as Options<'pub'>, those);
    publisher.publish(Buffer.from('1'));
    publisher.publish(Buffer.from('2'));
    await publisher.acknowledged();
    those.published(publisher.sent);
    assert.deepEqual(said, [
      'Warning: Publish 1 failed: Not authorized.',
      'Error: The broker refused 1 of 2 messages.',
    ]);
    assert.equal(those.exitCode(0), 135);
  });

  it('may be what a reset behind messages of QoS 0 says', () => {
    for (const [qos, wasReset, isDoubtful] of [
      [0, true, true],
      [0, false, false],
      [1, true, false],
    ] as const) {
      const { denials: those } = denials(true);
      const client = { on: () => undefined, publish: () => new Promise(() => {}), wasReset } as unknown as Client;
      const publisher = new Publisher(client, { topic: 't', qos, properties: [] } as unknown as Options<'pub'>, those);
      publisher.publish(Buffer.from('1'));
      assert.equal(publisher.isDoubtful, isDoubtful);
    }
    const { denials: quiet, said } = denials(false);
    assert.equal(quiet.unread(), 0);
    assert.match(said[0] ?? '', /^Warning: The broker reset the connection/);
    assert.equal(denials(true).denials.unread(), 7);
  });
});
