// Topic aliases (MQTT 5.0 section 3.3.2.3.4). They live as long as the network connection [MQTT-3.3.2-7].

/** Aliases that the other side set: number → T. */
export class InboundAliases<T> {
  private readonly maximum: number;
  private readonly topics: Map<number, T>;

  /** @param maximum the Topic Alias Maximum that we announced */
  constructor(maximum: number) {
    this.maximum = maximum;
    this.topics = new Map();
  }

  /** Whether the alias is in the announced range [MQTT-3.3.2-9]. */
  allows(alias: number): boolean {
    return alias > 0 && alias <= this.maximum;
  }

  set(alias: number, topic: T): void {
    this.topics.set(alias, topic);
  }

  get(alias: number): T | undefined {
    return this.topics.get(alias);
  }
}

/** Aliases that we set: the first topics that are sent get one, and keep it. */
export class OutboundAliases {
  private readonly maximum: number;
  private readonly numbers: Map<object, number>;

  /** @param maximum the smaller of the other side's Topic Alias Maximum and our own wish */
  constructor(maximum: number) {
    this.maximum = maximum;
    this.numbers = new Map();
  }

  /** The alias of a topic: positive when the other side knows it, negative when it is new and goes with the name, else 0. */
  use(topic: object): number {
    const known = this.numbers.get(topic);
    if (known !== undefined) return known;
    if (this.numbers.size >= this.maximum) return 0;
    const alias = this.numbers.size + 1;
    this.numbers.set(topic, alias);
    return -alias;
  }
}
