import type { Logger } from '../../log/logger.ts';
import { ALLOW, type AuthRequest, DEFER, DENY, type Decision, type Plugin } from '../hooks/points.ts';
import { logRefusal } from './refusal.ts';

/**
 * `allow_anonymous`: decides on clients without a user name (an empty one counts as none, as in Mosquitto). Where nothing
 * else checks names (`namesAreChecked` false) a name proves nothing, and its bearer is treated like a client without one.
 */
export function anonymousPlugin(allowAnonymous: boolean, namesAreChecked: boolean, log: Logger): Plugin {
  const decision = allowAnonymous ? ALLOW : DENY;
  return {
    name: 'anonymous',
    authenticate(request: AuthRequest): Decision {
      const named = request.username !== null && request.username !== '';
      if (named && namesAreChecked) return DEFER;
      if (!allowAnonymous) {
        const why = named ? 'there is no password_file to check its user name with' : 'it gave no user name';
        logRefusal(log, request, `${why}, and allow_anonymous is false`);
      }
      return decision;
    },
  };
}
