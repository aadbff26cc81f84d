// Plugins that scenarios name, and what makes any plugin answer late.
import {
  ALLOW,
  type AuthStep,
  DEFER,
  DENY,
  type Decision,
  type Plugin,
  READ,
  type Refusal,
  UNSUBSCRIBE_ACCESS,
} from '../../src/broker/hooks/points.ts';
import { BANNED, GRANTED_QOS_1, SERVER_BUSY, SERVER_MOVED, USE_ANOTHER_SERVER } from '../../src/protocol/reasons.ts';

/** Topics beginning with `forbidden` may not be written or subscribed to, nor `secret` be read; `kept` not unsubscribed. */
const rights: Plugin = {
  name: 'rights',
  authorize(_client, access, topic): Decision {
    if (access === READ) return topic.startsWith('secret') ? DENY : ALLOW;
    if (access === UNSUBSCRIBE_ACCESS) return topic.startsWith('kept') ? DENY : ALLOW;
    return topic.startsWith('forbidden') ? DENY : ALLOW;
  },
};

/** The user mallory may not connect; of all others the next plugin decides. */
const doorman: Plugin = {
  name: 'doorman',
  authenticate: ({ username }) => (username === 'mallory' ? DENY : DEFER),
};

/** The method `riddle`: the answer to `question` is `answer`, said at once or asked for; `question` may come again. */
const riddle: Plugin = {
  name: 'riddle',
  authStep(_client, method, data, first): AuthStep | null {
    if (method !== 'riddle') return null;
    const said = data?.toString() ?? '';
    if (said === 'answer') return { decision: ALLOW, data: Buffer.from('welcome'), username: 'oedipus' };
    if (first || said === 'again') return { decision: DEFER, data: Buffer.from('question') };
    return { decision: DENY, data: null };
  },
};

/** Users who are sent elsewhere, or away, with more than a no; `nonsense` is no refusal that there is. */
const signpost: Plugin = {
  name: 'signpost',
  authenticate: ({ username }) => refusals[username ?? ''] ?? ALLOW,
  authStep(client, method, data, first): AuthStep | null {
    if (method !== 'signpost') return null;
    const refusal = refusals[data?.toString() ?? ''];
    if (refusal !== undefined) return { decision: DENY, data: null, refusal };
    return { decision: first && client.username !== null ? DEFER : ALLOW, data: null };
  },
};

const refusals: Readonly<Record<string, Refusal>> = {
  moved: { reason: SERVER_MOVED, serverReference: 'b.example:1883', reasonString: 'This house is empty.' },
  elsewhere: { reason: USE_ANOTHER_SERVER, serverReference: 'b.example c.example' },
  banned: { reason: BANNED, reasonString: 'Not after last time.' },
  busy: { reason: SERVER_BUSY },
  nonsense: { reason: GRANTED_QOS_1 },
  lost: { reason: SERVER_BUSY, serverReference: 'b.example' },
};

/** Messages to `drop` vanish, those to `old/…` go to `new/…`, and payloads to `loud/…` become capitals. */
const editor: Plugin = {
  name: 'editor',
  messageIn(_client, message) {
    if (message.topic === 'drop') return null;
    if (message.topic.startsWith('old/')) return { ...message, topic: `new/${message.topic.slice(4)}` };
    if (message.topic.startsWith('loud/')) {
      return { ...message, payload: Buffer.from(message.payload.toString().toUpperCase()) };
    }
    return message;
  },
};

const PLUGINS: Readonly<Record<string, Plugin>> = { rights, doorman, riddle, signpost, editor };

/** The plugin of this name. */
export function pluginNamed(name: string): Plugin {
  const plugin = PLUGINS[name];
  if (plugin === undefined) throw new Error(`there is no plugin '${name}': ${Object.keys(PLUGINS).join(', ')}`);
  return plugin;
}

/** The same answer some turns later. */
async function late<T>(answer: T | Promise<T>): Promise<T> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  return answer;
}

/** A plugin that answers as this one, but late where the hook point lets it: reading is asked for on the packet path. */
export function slowed(plugin: Plugin): Plugin {
  const slow: Plugin = { ...plugin, name: `slow ${plugin.name}` };
  const { authenticate, authorize, authStep } = plugin;
  if (authenticate !== undefined) slow.authenticate = (request) => late(authenticate(request));
  if (authorize !== undefined) {
    slow.authorize = (client, access, topic) => {
      const answer = authorize(client, access, topic);
      return access === READ ? answer : late(answer);
    };
  }
  if (authStep !== undefined) {
    slow.authStep = (client, method, data, first) => {
      const step = authStep(client, method, data, first);
      return step === null ? null : late(step);
    };
  }
  return slow;
}

/** Leaves the decision to the plugins behind it, or allows everything where there is none. */
export function undecided(decidesRights: boolean): Plugin {
  return {
    name: 'undecided',
    authenticate: () => DEFER,
    authorize: () => (decidesRights ? ALLOW : DEFER),
  };
}
