// Command lines of publishers, subscribers and requesters as data. What they print and how they end is compared between
// makers of tools and makers of brokers; nothing here says what is right.

/** One command: a subscriber is started and waited for at the end, or where it is named. */
export type Step =
  | { readonly pub: readonly string[]; readonly input?: string }
  /** A subscriber that goes on in the background once the broker has answered its SUBSCRIBE. */
  | { readonly sub: readonly string[]; readonly as: string }
  /** A subscriber that is run to its end. */
  | { readonly read: readonly string[]; readonly as?: string }
  | { readonly rr: readonly string[]; readonly answer: readonly string[]; readonly topic: string }
  | { readonly wait: string }
  | { readonly kill: string };

/** Some commands in order. */
export interface Play {
  readonly name: string;
  /** All three where nothing is said. */
  readonly versions?: readonly string[];
  /** Whose tools alone it is for. */
  readonly tools?: 'mosquitto';
  readonly steps: readonly Step[];
}

const words = (text: string): string[] => text.split(' ');
const FIVE = ['mqttv5'];

/** Everything that a message says about itself, save for the time. */
const ALL = ['-F', '%t|%q|%r|%l|%p|%x|%A|%C|%D|%E|%F|%m|%P|%R|%S'];

/** Every property of PUBLISH that a tool may set, save for those that change on the way. */
const MESSAGE = [
  ...words(
    '-D publish content-type text/plain -D publish correlation-data c-17 -D publish response-topic answers/here',
  ),
  ...words('-D publish payload-format-indicator 1 -D publish user-property z 1 -D publish user-property a 2'),
  ...words('-D publish user-property z 1'),
];

/** Every property of a will. */
const WILL = [
  ...words('-D will content-type text/plain -D will correlation-data c-18 -D will response-topic answers/there'),
  ...words('-D will payload-format-indicator 1 -D will user-property b 1 -D will user-property a 2'),
];

/**
 * Every property of CONNECT that needs no plugin. No topic alias maximum: libmosquitto 2.0.11 sends it when told to, but
 * takes a message whose topic is only an alias for malformed; its own broker never uses aliases.
 */
const CONNECT = words(
  '-D connect maximum-packet-size 100000 -D connect receive-maximum 5 -D connect request-problem-information 1 ' +
    '-D connect request-response-information 1 -D connect user-property c 1',
);

/** The plays. Topics begin with a word of their own, since all plays share a broker. */
export const PLAYS: readonly Play[] = [
  {
    name: 'QoS 2, formats of a payload',
    steps: [
      { sub: words('-q 2 -t q2/# -C 3 -v -F %t|%q|%r|%l|%x|%X|%p'), as: 'a' },
      { pub: words('-q 2 -t q2/text -m grüße') },
      { pub: words('-q 2 -t q2/lines -l'), input: 'one\n\nthree\n' },
      { wait: 'a' },
    ],
  },
  {
    name: 'properties of a message',
    versions: FIVE,
    steps: [
      { sub: [...words('-q 2 -t props/# -C 2 -D subscribe subscription-identifier 300'), ...ALL], as: 'a' },
      { pub: [...words('-q 1 -t props/a -m body'), ...MESSAGE] },
      { pub: [...words('-q 2 -t props/b -n -r -D publish topic-alias 2'), ...MESSAGE] },
      { wait: 'a' },
    ],
  },
  {
    name: 'properties of the connection and of SUBSCRIBE, UNSUBSCRIBE and DISCONNECT',
    versions: FIVE,
    steps: [
      {
        sub: [
          ...words('-q 1 -t conn/# -C 3 -U conn/x -D unsubscribe user-property u 1 -D subscribe user-property s 1'),
          ...words('-D disconnect user-property d 1 -x 30 -D disconnect session-expiry-interval 0'),
          ...CONNECT,
          ...ALL,
        ],
        as: 'a',
      },
      { pub: [...words('-q 1 -t conn/1 -m x'), ...CONNECT] },
      { pub: [...words('-q 2 -t conn/1 -m y'), ...CONNECT] },
      { pub: [...words('-q 0 -t conn/2 -m z'), ...CONNECT] },
      { wait: 'a' },
    ],
  },
  {
    name: 'a will and its properties',
    versions: FIVE,
    steps: [
      { sub: [...words('-q 2 -t wills/+ -C 1'), ...ALL], as: 'watcher' },
      {
        sub: [
          ...words('-t none/1 --will-topic wills/5 --will-payload gone --will-qos 2 --will-retain'),
          ...words('-D will message-expiry-interval 600 -D will will-delay-interval 0'),
          ...WILL,
        ],
        as: 'dying',
      },
      { kill: 'dying' },
      { wait: 'watcher' },
      { read: words('-q 1 -t wills/5 -C 1 -F %t|%q|%r|%p|%C|%R') },
      { pub: words('-t wills/5 -n -r') },
    ],
  },
  {
    name: 'retained messages alone, stale ones not, and cleared',
    versions: ['mqttv311', 'mqttv5'],
    steps: [
      { pub: words('-q 1 -r -t kept/a -m 1') },
      { pub: words('-q 1 -r -t kept/b -m 2') },
      { read: words('-q 1 -t kept/# -v --retained-only -C 2') },
      { sub: words('-q 1 -t kept/# -v -R -C 1'), as: 'fresh' },
      { pub: words('-q 1 -t kept/a -m live') },
      { wait: 'fresh' },
      // Not --remove-retained: with -C mosquitto_sub 2.0.11 does not end after it.
      ...['kept/a', 'kept/b'].map((topic) => ({ pub: [...words('-q 1 -r -n -t'), topic] })),
      { sub: words('-q 1 -t kept/# -v -C 1'), as: 'late' },
      { pub: words('-q 1 -t kept/d -m live') },
      { wait: 'late' },
    ],
  },
  {
    name: 'filtered out topics and several subscriptions',
    versions: ['mqttv311'],
    steps: [
      { sub: words('-q 1 -t many/+ -t many/deep/# -T many/no -v -C 3'), as: 'a' },
      ...['many/no', 'many/yes', 'many/deep/er', 'many/deep'].map((topic) => ({
        pub: [...words('-q 1 -m x -t'), topic],
      })),
      { wait: 'a' },
    ],
  },
  {
    name: 'a session that ends with its expiry, and one that goes on',
    versions: FIVE,
    steps: [
      { read: words('-i keeps -c -x 100 -q 1 -t session/# -E') },
      { read: words('-i forgets -c -x 0 -q 1 -t session/# -E') },
      { pub: words('-q 1 -t session/a -m waiting -D publish message-expiry-interval 500') },
      { pub: words('-q 2 -t session/b -m too') },
      { read: words('-i keeps -c -x 100 -q 1 -t session/# -C 2 -F %t|%q|%p') },
      { sub: words('-i forgets -c -x 0 -q 1 -t session/# -C 1'), as: 'anew' },
      { pub: words('-q 1 -t session/c -m fresh') },
      { wait: 'anew' },
    ],
  },
  {
    name: 'a session of older versions',
    versions: ['mqttv31', 'mqttv311'],
    steps: [
      { read: words('-i keeps -c -q 2 -t older/# -E') },
      { pub: words('-q 1 -t older/a -m waiting') },
      { pub: words('-q 2 -t older/b -m too') },
      { read: words('-i keeps -c -q 2 -t older/# -C 2 -F %t|%q|%p') },
      { sub: words('-i keeps -q 2 -t older/# -C 1'), as: 'anew' },
      { pub: words('-q 1 -t older/c -m fresh') },
      { wait: 'anew' },
    ],
  },
  {
    name: 'a shared subscription of one member',
    versions: FIVE,
    steps: [
      { sub: words('-q 1 -t $share/g/shared/# -v -C 2'), as: 'a' },
      { pub: words('-q 1 -t shared/1 -m x') },
      { pub: words('-q 2 -t shared/2 -m y') },
      { wait: 'a' },
    ],
  },
  {
    // mqtt-sub prints the JSON of newer Mosquittos: `retain` is true or false, user properties keep their order.
    name: 'JSON',
    tools: 'mosquitto',
    versions: FIVE,
    steps: [
      { sub: words('-q 1 -t json -C 1 -F %j'), as: 'a' },
      { pub: [...words('-q 1 -t json -m {"a":1}'), ...MESSAGE] },
      { wait: 'a' },
    ],
  },
  {
    name: 'a request with all properties',
    versions: FIVE,
    steps: [
      {
        rr: [
          ...words('-q 1 -t ask -e answers/rr -m what? -D publish correlation-data c-19 -D publish user-property k v'),
        ],
        answer: words('-q 1 -t answers/rr -m this -D publish correlation-data c-19'),
        topic: 'ask',
      },
    ],
  },
  {
    name: 'what is refused before it is sent',
    versions: FIVE,
    steps: [
      { pub: words('-t a/+ -m x') },
      { pub: words('-t bad -m x -D publish topic-alias-maximum 2') },
      { pub: words('-t bad -m x -D publish subscription-identifier 2') },
      { pub: words('-t bad -m x -q 3') },
      { read: words('-t a/#/b') },
    ],
  },
  {
    // With MQTT 5 mosquitto_pub 2.0.11 keeps the message to itself and ends with 0; mqtt-pub says so and ends with 25.
    name: 'a message that is larger than the broker takes',
    versions: ['mqttv31', 'mqttv311'],
    steps: [{ pub: ['-q', '1', '-t', 'large', '-m', 'x'.repeat(60_000)] }],
  },
];
