import { ALLOW, type AuthRequest, DEFER, DENY, type Decision, type Plugin } from '../hooks/points.ts';

/**
 * `allow_anonymous`: decides on clients without a user name (an empty one counts as none, as in Mosquitto). Where nothing
 * else checks names (`namesAreChecked` false) a name proves nothing, and its bearer is treated like a client without one.
 */
export function anonymousPlugin(allowAnonymous: boolean, namesAreChecked: boolean): Plugin {
  const decision = allowAnonymous ? ALLOW : DENY;
  return {
    name: 'anonymous',
    authenticate(request: AuthRequest): Decision {
      const named = request.username !== null && request.username !== '';
      return named && namesAreChecked ? DEFER : decision;
    },
  };
}
