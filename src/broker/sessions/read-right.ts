// Whether a session's client may read a message. Where nothing restricts it, nobody asks; where the answer holds until a
// reload, the topic's plan remembers it.
import type { Logger } from '../../log/logger.ts';
import type { Message } from '../routing/message.ts';
import { MAY_READ, MUST_NOT_READ, NOT_ASKED, type Plan } from '../routing/plan.ts';

/** Who reads. */
export interface Reader {
  readonly clientId: string;
  /** Asks whether the client may read a topic; null where nothing restricts it. */
  readonly mayRead: ((topic: string) => boolean) | null;
  /** Whether the answer holds for the same topic until a reload, so that plans may remember it. */
  readonly readRightIsCacheable: boolean;
}

/**
 * Whether a new message may go to a reader that is restricted.
 * @param plan the topic's plan, which remembers the answer at `index`; null if it is to be asked anew
 */
export function isReadable(reader: Reader, message: Message, plan: Plan | null, index: number, log: Logger): boolean {
  const known = plan === null ? NOT_ASKED : plan.permissions[index]!;
  if (known !== NOT_ASKED) return known === MAY_READ;
  const allowed = reader.mayRead!(message.topic.name);
  if (plan !== null && reader.readRightIsCacheable) plan.permissions[index] = allowed ? MAY_READ : MUST_NOT_READ;
  if (!allowed) {
    log.debug?.(
      `Denied PUBLISH to ${reader.clientId} (q${message.qos}, r${Number(message.retain)}, '${message.topic.name}', ... (${message.payloadLength} bytes))`,
    );
  }
  return allowed;
}

/** Whether a message that has waited may still go: by the name that it was routed by. */
export function isStillReadable({ mayRead }: Reader, message: Message): boolean {
  return mayRead === null || mayRead(message.routedAs.name);
}
