// What a new client gets as retained messages: one subscription for each topic, and a last one whose message always exists.
import { CONNACK, SUBSCRIBE } from '../../src/protocol/constants.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import { MQTT311 } from '../../src/protocol/version.ts';
import { connectBytes } from '../support/raw-client.ts';
import { LAST_RETAINED } from './cast.ts';
import { Connection } from './connection.ts';
import type { Ledger } from './ledger.ts';
import { type Message, serialOf } from './message.ts';
import type { Stage } from './stage.ts';

const LIMIT_MS = 3000;

/** Compares the retained message of each topic with the ledger. */
export async function probeRetained(stage: Stage): Promise<void> {
  const { ledger } = stage;
  const topics = ledger.retained.names.filter((topic) => topic !== LAST_RETAINED);
  const found = new Map<string, Message | null>();
  let isOver = false;
  let isJoined = false;
  const connection = new Connection(
    stage.options.port,
    MQTT311,
    {
      packet: (packet) => {
        isJoined ||= packet.type === CONNACK;
        ledger.waiting.wake();
      },
      delivery: ({ topic, payload }) => {
        const message = ledger.messages[serialOf(payload)];
        if (message === undefined || !message.payload.equals(payload) || message.plan.topic !== topic) {
          ledger.fault('altered', `the retained message of ${topic} is not what anybody published`, []);
        }
        found.set(topic, message ?? null);
        ledger.waiting.wake();
      },
      closed: () => {
        isOver = true;
        ledger.waiting.wake();
      },
    },
    () => {
      // Subscribed at QoS 0, so that nothing is in flight and the order is that of the subscriptions.
      connection.send(connectBytes('probe', { profile: MQTT311 }));
    },
  );
  await ledger.waiting.until(() => isJoined || isOver, ledger.patience(LIMIT_MS));
  for (const [index, filter] of [...topics, LAST_RETAINED].entries()) {
    const one = { filter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    connection.send({ type: SUBSCRIBE, id: index + 1, subscriptions: [one], properties: NO_PROPERTIES });
  }
  const isComplete = await ledger.waiting.until(() => found.has(LAST_RETAINED) || isOver, ledger.patience(LIMIT_MS));
  connection.destroy();
  if (!stage.isUp) return;
  if (!isComplete || !found.has(LAST_RETAINED)) {
    ledger.fault('retained', `the retained message of ${LAST_RETAINED} is gone`, ledger.retained.told(LAST_RETAINED));
  }
  for (const topic of topics) judge(ledger, topic, found.get(topic) ?? null);
}

function judge(ledger: Ledger, topic: string, value: Message | null): void {
  const allowed = ledger.retained.allowed(topic, ledger.tick());
  if (allowed.has(value)) return;
  const name = (one: Message | null): string => (one === null ? 'none' : one.describe());
  const text = `the retained message of ${topic} is ${name(value)} instead of ${[...allowed].map(name).join(' or ')}`;
  ledger.fault('retained', text, [...ledger.retained.told(topic), ...(value?.history ?? [])]);
}
