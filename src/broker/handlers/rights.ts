// What a client may read and write, as its session asks for it.
import type { HookSet } from '../hooks/hooks.ts';
import { ALLOW, type ClientContext, READ, WRITE } from '../hooks/points.ts';
import type { Session } from '../sessions/session.ts';

/** Settles what a session's client may read and, for its will, write; asked anew for each topic. */
export function grantRights(session: Session, context: ClientContext, hooks: HookSet): void {
  session.mayRead = hooks.hasAuthorize ? (topic) => hooks.authorize(context, READ, topic) === ALLOW : null;
  session.readRightIsCacheable = hooks.authorizeIsCacheable;
  session.mayWrite = hooks.hasAuthorize ? (topic) => hooks.authorize(context, WRITE, topic) : null;
  session.rightsChanged();
}
