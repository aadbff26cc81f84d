// Request and response over publish and subscribe (MQTT 5.0 section 4.10).
import { randomBytes } from 'node:crypto';
import { isRefusal, reasonOf } from '../protocol/reasons.ts';
import { ConnectionLost, InvalidRequest } from './errors.ts';
import type { Client, PublishOptions, ReceivedMessage } from './options.ts';

const CORRELATION_BYTES = 16;

/** What to ask and where the answer comes. */
export interface RequestOptions extends PublishOptions {
  readonly topic: string;
  readonly payload: string | Buffer;
  /** Topic that the answer is published to. */
  readonly responseTopic: string;
  /** Takes a retained message on the response topic for an answer too; default false: it is older than the request. */
  readonly acceptRetained?: boolean;
  /** Gives up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Subscribes to the response topic, publishes the request and resolves to the first answer. The subscription stays. Rejects as publish and subscribe do, with InvalidRequest where the broker refuses either, and with
 * ConnectionLost where the client closes first.
 */
export async function request(client: Client, options: RequestOptions): Promise<ReceivedMessage> {
  const { topic, payload, responseTopic, qos = 0 } = options;
  const correlationData = options.properties?.correlationData ?? newCorrelationData();
  const answer = awaitAnswer(client, options, correlationData);
  try {
    const subscribed = await Promise.race([client.subscribe({ filter: responseTopic, qos }), answer.failed]);
    refuse(subscribed.codes[0] ?? 0, `the subscription to ${responseTopic}`);
    const published = await Promise.race([
      client.publish(topic, payload, {
        ...options,
        properties: { ...options.properties, responseTopic, correlationData },
      }),
      answer.failed,
    ]);
    refuse(published.reason.code, 'the request');
    return await answer.message;
  } finally {
    answer.stop();
  }
}

function refuse(code: number, what: string): void {
  if (isRefusal(code)) throw new InvalidRequest(reasonOf(code), `the broker refused ${what}: ${reasonOf(code).text}`);
}

/** Correlation data for one request: nobody else has it. It is text, so that traces, formats and JSON can show it. */
export function newCorrelationData(): Buffer {
  return Buffer.from(randomBytes(CORRELATION_BYTES).toString('hex'));
}

/**
 * Whether a message answers the request with this response topic and correlation data. One with other correlation data
 * answers somebody else; one without any is taken, as simple responders send none.
 */
export function answers(message: ReceivedMessage, responseTopic: string, correlationData: Buffer): boolean {
  const theirs = message.properties.correlationData;
  return message.topic === responseTopic && (theirs === undefined || theirs.equals(correlationData));
}

interface Answer {
  readonly message: Promise<ReceivedMessage>;
  /** Rejects with `message`, and never resolves. */
  readonly failed: Promise<never>;
  stop(): void;
}

function awaitAnswer(client: Client, options: RequestOptions, correlationData: Buffer): Answer {
  let stop = (): void => {};
  const message = new Promise<ReceivedMessage>((resolve, reject) => {
    const onMessage = (received: ReceivedMessage): void => {
      if (received.retain && options.acceptRetained !== true) return;
      if (answers(received, options.responseTopic, correlationData)) resolve(received);
    };
    const onClose = (error: Error | null): void =>
      reject(new ConnectionLost('The connection ended before an answer came', null, error));
    const onAbort = (): void => reject(options.signal?.reason);
    stop = () => {
      client.off('message', onMessage).off('close', onClose);
      options.signal?.removeEventListener('abort', onAbort);
    };
    client.on('message', onMessage).on('close', onClose);
    if (options.signal?.aborted === true) onAbort();
    else options.signal?.addEventListener('abort', onAbort, { once: true });
  });
  const failed = new Promise<never>((_, reject) => {
    message.catch(reject);
  });
  failed.catch(() => {});
  return { message, failed, stop };
}
