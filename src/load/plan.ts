// What a run does, in full: every worker process gets the same plan and takes its own share of the clients from it.
import type { Endpoint } from '../client/options.ts';
import type { Properties } from '../protocol/properties.ts';
import { splitShared } from '../protocol/topic.ts';
import type { Profile } from '../protocol/version.ts';
import type { PayloadSource } from './payload.ts';
import { type ClientNames, fill } from './template.ts';

/** Clients of one kind. */
export type Role = 'conn' | 'pub' | 'sub';

/** A run. Numbers of clients, rates and totals are those of all workers together. */
export interface LoadPlan {
  readonly endpoint: Endpoint;
  readonly profile: Profile;
  readonly cleanStart: boolean;
  /** Seconds. */
  readonly keepAlive: number;
  /** Of CONNECT. */
  readonly properties: Properties;
  /** Templates, and the password as it is. */
  readonly clientId: Readonly<Record<Role, string>>;
  readonly username: string | null;
  readonly password: string | null;
  /** How many clients of each kind. */
  readonly counts: Readonly<Record<Role, number>>;
  /** Number of the first client of each kind. */
  readonly firstNumber: number;
  readonly connectTimeoutMs: number;
  /** Connections opened in a second; null opens them as fast as they come. */
  readonly connectRate: number | null;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly payload: PayloadSource;
  /** Template of topics and filters; null where nobody publishes or subscribes. */
  readonly topic: string | null;
  /** Of a load: how many topics the template's %i counts; null where %i is the client's number. */
  readonly topics: number | null;
  /** Messages published in a second; null for as many as the window and TCP allow. */
  readonly rate: number | null;
  /** Messages of one publisher that may be under way; null for no limit of ours. */
  readonly window: number | null;
  /** Whether a message is under way until the subscribers of its process have it, instead of until it is acknowledged. */
  readonly windowIsDelivery: boolean;
  /** Messages to publish; null for no end. */
  readonly total: number | null;
}

/** One worker's part in a run. */
export interface Share {
  /** Number of the worker, from 0, and how many there are. */
  readonly worker: number;
  readonly workers: number;
  /** Mark of the run in stamps (stamp.ts). */
  readonly run: number;
}

/** A client of the plan. */
export interface PlannedClient {
  readonly role: Role;
  /** Number among the clients of its kind, from 0. */
  readonly index: number;
  readonly names: ClientNames;
  /** The topic that it publishes to, and the filters that it subscribes to. */
  readonly topic: string | null;
  readonly filters: readonly string[];
}

/** A client with all that its templates give. */
export function plannedClient(plan: LoadPlan, role: Role, index: number): PlannedClient {
  const number = plan.firstNumber + index;
  const username = plan.username === null ? '' : fill(plan.username, { number, clientId: '', username: '' });
  const clientId = fill(plan.clientId[role], { number, clientId: '', username });
  const names = { number, clientId, username };
  const { topic } = plan;
  if (topic === null || role === 'conn') return { role, index, names, topic: null, filters: [] };
  if (plan.topics === null) {
    const own = fill(topic, names);
    return role === 'pub'
      ? { role, index, names, topic: own, filters: [] }
      : { role, index, names, topic: null, filters: [own] };
  }
  const numbers = role === 'pub' ? [index % plan.topics] : topicsOf(index, plan.counts.sub, plan.topics);
  const topics = numbers.map((i) => fill(topic, { number: plan.firstNumber + i, clientId: '', username: '' }));
  return role === 'pub'
    ? { role, index, names, topic: unshared(topics[0] ?? ''), filters: [] }
    : { role, index, names, topic: null, filters: topics };
}

/** The topic that the subscribers of a share group get, of their filter; any other as it is. */
const unshared = (filter: string): string => splitShared(filter)?.filter ?? filter;

/** Subscribers share the topics out: with fewer topics than subscribers several have the same, else each has several. */
function topicsOf(subscriber: number, subscribers: number, topics: number): number[] {
  if (topics <= subscribers) return [subscriber % topics];
  const own: number[] = [];
  for (let topic = subscriber; topic < topics; topic += subscribers) own.push(topic);
  return own;
}

/** The numbers of a worker's clients of one kind: those of the same number are together. */
export function sharedOut(count: number, share: Pick<Share, 'worker' | 'workers'>): number[] {
  const own: number[] = [];
  for (let index = share.worker; index < count; index += share.workers) own.push(index);
  return own;
}

/**
 * Of a load: how many subscribers get the messages of each publisher.
 * @param missing numbers of the subscribers that are not there
 */
export function receivers(plan: LoadPlan, missing: ReadonlySet<number>): Uint32Array {
  const counts = new Uint32Array(plan.counts.pub);
  const byTopic = new Map<string, number>();
  for (let index = 0; index < plan.counts.sub; index++) {
    if (missing.has(index)) continue;
    for (const filter of plannedClient(plan, 'sub', index).filters) {
      // Of a share group only one member gets each message.
      const before = splitShared(filter) === null ? (byTopic.get(filter) ?? 0) : 0;
      byTopic.set(unshared(filter), before + 1);
    }
  }
  for (let index = 0; index < plan.counts.pub; index++) {
    counts[index] = byTopic.get(plannedClient(plan, 'pub', index).topic ?? '') ?? 0;
  }
  return counts;
}
