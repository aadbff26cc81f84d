// Calls the hooks of the plugins: the only caller of plugin code. The points of all plugins are compiled once to arrays, so
// that a point nobody uses costs a look at a length. Nothing waits unless a plugin answers with a promise, and nothing a
// plugin throws gets out: a decider that throws denies, a transformer that throws drops, and both are reported.

import { checkedStep, refusalFault } from './answers.ts';
import {
  type Access,
  ALLOW,
  type AuthRequest,
  type AuthStep,
  type ClientContext,
  DEFER,
  DENY,
  type Decision,
  HOOK_POINTS,
  type HookMessage,
  type HookPoints,
  type Plugin,
  READ,
  type Refusal,
} from './points.ts';

/** Is told what a plugin threw, at which point ('reload' and 'close' included). */
type HookError = (plugin: string, point: string, error: unknown) => void;

/** One plugin's function for one point. */
interface Hook<F> {
  readonly plugin: string;
  readonly call: F;
}

/** A plugin that keeps its old state, and why. */
export interface ReloadFailure {
  readonly plugin: string;
  readonly sentence: string;
}

/** What came of reading the plugins' files anew. */
interface PreparedReload {
  readonly failures: readonly ReloadFailure[];
  /** Puts what was read into force, and voids what was cached. */
  commit(): void;
}

/** A deciding function; what a point has no use for it does not look at. */
type Decider<Subject, Answer> = (subject: Subject, access: Access, topic: string) => Answer | Promise<Answer>;

/** The functions of all plugins for one point, in the order of the plugins. */
function compile<P extends keyof HookPoints>(plugins: readonly Plugin[], point: P): readonly Hook<HookPoints[P]>[] {
  const hooks: Hook<HookPoints[P]>[] = [];
  for (const plugin of plugins) {
    const call = plugin[point];
    if (call !== undefined) hooks.push({ plugin: plugin.name, call: call.bind(plugin) as HookPoints[P] });
  }
  return hooks;
}

/** The plugins of one security scope: all listeners, or one listener with `per_listener_settings true`. */
export class HookSet {
  /** Whether anybody decides on topics; without, `authorize` allows everything and need not be asked. */
  readonly hasAuthorize: boolean;
  /** Whether an answer of `authorize` holds for the same client, access and topic while `generation` stays the same. */
  readonly authorizeIsCacheable: boolean;
  readonly hasAuthStep: boolean;
  readonly hasMessageIn: boolean;
  /** Counts the reloads: what was cached of an older generation is void. */
  generation = 0;

  readonly #plugins: readonly Plugin[];
  readonly #onError: HookError;
  readonly #authenticate: readonly Hook<Decider<AuthRequest, Decision | Refusal>>[];
  readonly #authorize: readonly Hook<Decider<ClientContext, Decision>>[];
  readonly #authStep: readonly Hook<HookPoints['authStep']>[];
  readonly #messageIn: readonly Hook<HookPoints['messageIn']>[];
  readonly #connected: readonly Hook<HookPoints['connected']>[];
  readonly #disconnected: readonly Hook<HookPoints['disconnected']>[];
  readonly #subscribed: readonly Hook<HookPoints['subscribed']>[];
  readonly #remain: readonly Hook<HookPoints['remain']>[];
  readonly #unsubscribed: readonly Hook<HookPoints['unsubscribed']>[];

  constructor(plugins: readonly Plugin[], onError: HookError) {
    this.#plugins = plugins;
    this.#onError = onError;
    this.#authenticate = compile(plugins, 'authenticate');
    this.#authorize = compile(plugins, 'authorize');
    this.#authStep = compile(plugins, 'authStep');
    this.#messageIn = compile(plugins, 'messageIn');
    this.#connected = compile(plugins, 'connected');
    this.#disconnected = compile(plugins, 'disconnected');
    this.#subscribed = compile(plugins, 'subscribed');
    this.#remain = compile(plugins, 'remain');
    this.#unsubscribed = compile(plugins, 'unsubscribed');
    this.hasAuthorize = this.#authorize.length > 0;
    this.hasAuthStep = this.#authStep.length > 0;
    this.hasMessageIn = this.#messageIn.length > 0;
    this.authorizeIsCacheable =
      HOOK_POINTS.authorize.cacheable && plugins.every((plugin) => !plugin.authorize || plugin.cacheable !== false);
  }

  /** ALLOW, DENY or a refusal for a client that wants in. Never rejects. */
  authenticate(request: AuthRequest): Decision | Refusal | Promise<Decision | Refusal> {
    return this.#decide('authenticate', this.#authenticate, 0, request, READ, '');
  }

  /** Whether a connected client may stay after a reload; one that a plugin fails on may not. */
  remains(client: ClientContext): boolean {
    for (const { plugin, call } of this.#remain) {
      try {
        const decision = call(client);
        if (decision !== DEFER) return decision === ALLOW;
      } catch (error) {
        this.#onError(plugin, 'remain', error);
        return false;
      }
    }
    return true;
  }

  /** ALLOW or DENY for one access of a client to a topic name, or to a filter for (un)subscribing. Never rejects. */
  authorize(client: ClientContext, access: Access, topic: string): Decision | Promise<Decision> {
    return this.#decide('authorize', this.#authorize, 0, client, access, topic);
  }

  /** One step of an enhanced authentication; null when no plugin knows the method. Never rejects. */
  authStep(
    client: ClientContext,
    method: string,
    data: Buffer | null,
    first: boolean,
  ): AuthStep | Promise<AuthStep> | null {
    for (const { plugin, call } of this.#authStep) {
      const refuse = (error: unknown): AuthStep => {
        this.#onError(plugin, 'authStep', error);
        return { decision: DENY, data: null };
      };
      try {
        const step = call(client, method, data, first);
        if (step instanceof Promise) return step.then(checkedStep).catch(refuse);
        if (step !== null) return checkedStep(step);
      } catch (error) {
        return refuse(error);
      }
    }
    return null;
  }

  /** The message as the plugins leave it, each working on what the one before made; null when one of them drops it. */
  messageIn(client: ClientContext, message: HookMessage): HookMessage | null {
    let current = message;
    for (const { plugin, call } of this.#messageIn) {
      try {
        const next = call(client, current);
        if (next === null) return null;
        if (!isMessage(next)) throw new TypeError('the answer is neither a message nor null');
        current = next;
      } catch (error) {
        // What a filter could not look at must not get past it.
        this.#onError(plugin, 'messageIn', error);
        return null;
      }
    }
    return current;
  }

  connected(client: ClientContext): void {
    for (const hook of this.#connected) this.#notify(hook.plugin, 'connected', () => hook.call(client));
  }

  disconnected(client: ClientContext, reasonCode: number): void {
    for (const hook of this.#disconnected) {
      this.#notify(hook.plugin, 'disconnected', () => hook.call(client, reasonCode));
    }
  }

  subscribed(client: ClientContext, filter: string, qos: number): void {
    for (const hook of this.#subscribed) this.#notify(hook.plugin, 'subscribed', () => hook.call(client, filter, qos));
  }

  unsubscribed(client: ClientContext, filter: string): void {
    for (const hook of this.#unsubscribed) this.#notify(hook.plugin, 'unsubscribed', () => hook.call(client, filter));
  }

  /** Lets every plugin read its files anew. Nothing of it counts before `commit`, which is to be called if none failed. */
  prepareReload(): PreparedReload {
    const failures: ReloadFailure[] = [];
    const steps: Hook<() => void>[] = [];
    for (const plugin of this.#plugins) {
      try {
        const call = plugin.reload?.();
        if (typeof call === 'function') steps.push({ plugin: plugin.name, call: call as () => void });
      } catch (error) {
        failures.push({ plugin: plugin.name, sentence: error instanceof Error ? error.message : String(error) });
      }
    }
    const commit = (): void => {
      this.generation += 1;
      for (const { plugin, call } of steps) this.#notify(plugin, 'reload', call);
    };
    return { failures, commit };
  }

  /** Lets every plugin give back what it holds. */
  close(): void {
    for (const plugin of this.#plugins) this.#notify(plugin.name, 'close', () => plugin.close?.());
  }

  /** Asks the deciders from `start` on: the first that does not defer counts. */
  #decide<Subject, Answer>(
    point: string,
    hooks: readonly Hook<Decider<Subject, Answer | Decision>>[],
    start: number,
    subject: Subject,
    access: Access,
    topic: string,
  ): Answer | Decision | Promise<Answer | Decision> {
    if (hooks.length === 0) return ALLOW;
    for (let i = start; i < hooks.length; i++) {
      const hook = hooks[i]!;
      let answer: Answer | Decision | Promise<Answer | Decision>;
      try {
        answer = hook.call(subject, access, topic);
      } catch (error) {
        this.#onError(hook.plugin, point, error);
        return DENY;
      }
      if (answer instanceof Promise) {
        return answer.then(
          (late) => {
            const decision = this.#checked(hook.plugin, point, late);
            return decision === DEFER ? this.#decide(point, hooks, i + 1, subject, access, topic) : decision;
          },
          (error) => {
            this.#onError(hook.plugin, point, error);
            return DENY;
          },
        );
      }
      const decision = this.#checked(hook.plugin, point, answer);
      if (decision !== DEFER) return decision;
    }
    return DENY;
  }

  /** The answer itself if it is one; anything else (a forgotten return, a boolean) denies. */
  #checked<Answer>(plugin: string, point: string, answer: Answer): Answer | Decision {
    if (answer === ALLOW || answer === DENY || answer === DEFER) return answer;
    const mayRefuse = point === 'authenticate' && typeof answer === 'object' && answer !== null;
    const fault = mayRefuse ? refusalFault(answer) : `the answer ${String(answer)} is not ALLOW, DENY or DEFER`;
    if (fault === null) return answer;
    this.#onError(plugin, point, new TypeError(fault));
    return DENY;
  }

  /** Calls a function whose answer nobody needs; `call` may turn out to be async, and its rejection ends here too. */
  #notify(plugin: string, point: string, call: () => unknown): void {
    try {
      const result = call();
      if (result instanceof Promise) result.catch((error) => this.#onError(plugin, point, error));
    } catch (error) {
      this.#onError(plugin, point, error);
    }
  }
}

function isMessage(answer: HookMessage | undefined): boolean {
  if (typeof answer?.topic !== 'string' || !Buffer.isBuffer(answer.payload)) return false;
  return answer.qos === 0 || answer.qos === 1 || answer.qos === 2;
}
