// The stage on which a client library plays the scenarios with a broker, and what most scenarios do on it.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Ability, ConnectWish, Got, Level, Maker, Place, Player } from './player.ts';
import { startProxy, type WireProxy } from './proxy.ts';

/** A scenario of client libraries. */
export interface LibraryScenario {
  readonly name: string;
  /** All three by default. */
  readonly levels?: readonly Level[];
  readonly needs?: readonly Ability[];
  play(stage: Stage): Promise<void>;
}

/** What a broker may do otherwise than most. */
export type Custom = 'the reason of a take-over';

/** A running broker: its listeners, and the customs that it does not keep. */
export interface Places {
  readonly breaks: readonly Custom[];
  readonly plain: Place;
  /** Lets in only tom with the password secret. */
  readonly guarded: Place;
  readonly ws: Place;
  readonly tls: Place;
}

/** One scenario's share of a broker: topics and client ids that no other scenario uses. */
export class Stage {
  readonly level: Level;
  readonly places: Places;
  private readonly context: TestContext;
  private readonly maker: Maker;
  private readonly label: string;
  private clients = 0;

  constructor(context: TestContext, maker: Maker, level: Level, places: Places, label: string) {
    this.context = context;
    this.maker = maker;
    this.level = level;
    this.places = places;
    this.label = label;
  }

  keeps(custom: Custom): boolean {
    return !this.places.breaks.includes(custom);
  }

  /** A topic of this scenario. */
  topic(name: string): string {
    return `${this.label}/${name}`;
  }

  /** An id that no other client has, with at most the 23 characters that MQTT 3.1 allows. */
  newId(): string {
    this.clients += 1;
    return `${this.label}-${this.clients}`;
  }

  /** A connected client; it is gone when the scenario is over. */
  async dial(wish: Partial<ConnectWish> = {}, place: Place = this.places.plain): Promise<Player> {
    const player = await this.maker.dial(place, this.level, { id: this.newId(), ...wish });
    this.context.after(() => {
      player.end().catch(() => undefined);
    });
    return player;
  }

  /** A connected client that is subscribed to these topics of the scenario. */
  async reader(...filters: readonly (readonly [string, 0 | 1 | 2])[]): Promise<Player> {
    const player = await this.dial();
    await player.subscribe(filters.map(([filter, qos]) => ({ filter: this.topic(filter), qos })));
    return player;
  }

  /** A session that outlives its connections: of MQTT 5 by its expiry, before by its clean session flag. */
  lasting(id: string, clean = false): Partial<ConnectWish> {
    const properties = this.level === 5 ? { properties: { sessionExpiryInterval: 600 } } : {};
    return { id, clean, ...properties };
  }

  proxy(): Promise<WireProxy> {
    return startProxy(this.context, this.places.plain.port);
  }

  /** Expects the next messages of a client, each as 'name payload qos' with the topic's part behind the label. */
  async expect(player: Player, ...texts: string[]): Promise<void> {
    const found: string[] = [];
    for (const _text of texts) found.push(this.shown(await player.next()));
    assert.deepEqual(found, texts);
  }

  /** A message as `expect` writes it. */
  shown({ topic, payload, qos, retain }: Got): string {
    const name = topic.startsWith(`${this.label}/`) ? topic.slice(this.label.length + 1) : topic;
    return `${name} ${payload} ${qos}${retain ? ' retained' : ''}`;
  }
}
