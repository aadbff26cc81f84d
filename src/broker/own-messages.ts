// Messages that the broker itself brings into the routing: wills, $SYS, log lines, an embedding program's.
import type { Properties } from '../protocol/properties.ts';
import { wallNow } from '../util/clock.ts';
import { ALLOW } from './hooks/points.ts';
import { Message } from './routing/message.ts';
import { isReservedTopic } from './routing/topics.ts';
import type { Session } from './sessions/session.ts';
import type { Core } from './settings.ts';

/** Publishes a message of the broker's own. The topic must be valid. */
export function publishOwn(
  core: Core,
  topic: string,
  payload: Buffer,
  qos: number,
  retain: boolean,
  properties: Properties,
): void {
  core.router.publish(Message.made(core.topics.internName(topic), payload, qos, retain, properties, null, wallNow()));
}

/**
 * Publishes a session's will if its client may write there: rights are asked when it is due, not when it was set. A promise
 * only if a plugin needs time to decide.
 */
export function publishWill(core: Core, session: Session): Promise<void> | null {
  const { will, context } = session;
  if (will === null) return null;
  const { willDelayInterval: _, ...properties } = will.properties;
  const publish = (): void => {
    const topic = core.topics.internName(will.topic);
    core.router.publish(Message.made(topic, will.payload, will.qos, will.retain, properties, context, wallNow()));
  };
  const decision = isReservedTopic(will.topic) ? null : (session.mayWrite?.(will.topic) ?? ALLOW);
  if (decision instanceof Promise) {
    return decision.then((answer) => {
      if (answer === ALLOW) publish();
    });
  }
  if (decision === ALLOW) publish();
  else core.log.debug?.(`Denied will of ${session.clientId} ('${will.topic}')`);
  return null;
}
