// A client library as the scenarios play it, whoever made it: the same few things that every MQTT client does, awaited.
import type { Properties } from '../../src/protocol/properties.ts';

/** Protocol levels: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type Level = 3 | 4 | 5;

/** Where a broker is. */
export interface Place {
  readonly kind: 'tcp' | 'ws' | 'tls';
  /** On this machine, by the name localhost where certificates are checked. */
  readonly port: number;
  /** File of the authority that signed the broker's certificate. */
  readonly ca: string;
}

export interface PublishWish {
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

export interface WillWish extends PublishWish {
  readonly topic: string;
  readonly payload: string;
}

/** What a CONNECT says. */
export interface ConnectWish {
  readonly id: string;
  /** True by default. */
  readonly clean?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly will?: WillWish;
  readonly properties?: Properties;
  /** Whether the library is to connect again by itself, at once, when the connection breaks; false by default. */
  readonly reconnects?: boolean;
}

/** A filter of a SUBSCRIBE; all flags are off by default. */
export interface FilterWish {
  readonly filter: string;
  readonly qos?: 0 | 1 | 2;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly retainHandling?: 0 | 1 | 2;
}

/** A message as the library handed it out. */
export interface Got {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly properties: Properties;
}

/** A connected client. */
export interface Player {
  /** What CONNACK said. */
  readonly present: boolean;
  readonly properties: Properties;
  /** Resolves with the reason code when the message is dealt with; null where the library does not tell the code. */
  publish(topic: string, payload: string, wish?: PublishWish): Promise<number | null>;
  /** The codes of SUBACK. */
  subscribe(filters: readonly FilterWish[], properties?: Properties): Promise<readonly number[]>;
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** The next message. */
  next(): Promise<Got>;
  /** Sends DISCONNECT with a reason (of MQTT 5) and closes. */
  end(code?: number, properties?: Properties): Promise<void>;
  /** Breaks the connection without a word. */
  cut(): Promise<void>;
  /** Resolves when the connection is over with the code of the broker's DISCONNECT, null where it sent none. */
  gone(): Promise<number | null>;
}

/** The broker refused the connection with this return or reason code. */
export class Refused extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`refused with code ${code}`);
    this.code = code;
  }
}

/** What a library cannot do; scenarios that need it are not played. */
export type Ability = 'repeated user properties' | 'reason codes of publish' | 'the receive maximum of the broker';

/** A library. */
export interface Maker {
  readonly name: string;
  readonly lacks: readonly Ability[];
  dial(place: Place, level: Level, wish: ConnectWish): Promise<Player>;
  close(): Promise<void>;
}

/** Hands out what arrives to who asks for it, in order. */
export class Mailbox<T> {
  private readonly waiting: T[] = [];
  private readonly askers: ((item: T) => void)[] = [];

  put(item: T): void {
    const asker = this.askers.shift();
    if (asker === undefined) this.waiting.push(item);
    else asker(item);
  }

  take(): Promise<T> {
    const [first] = this.waiting;
    if (first === undefined) return new Promise((resolve) => this.askers.push(resolve));
    this.waiting.shift();
    return Promise.resolve(first);
  }
}
