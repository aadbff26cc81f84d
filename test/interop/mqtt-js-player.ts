// MQTT.js, the client library of most Node and browser programs, as a player of the scenarios.
import { readFileSync } from 'node:fs';
import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt';
import type { Properties } from '../../src/protocol/properties.ts';
import {
  type ConnectWish,
  type Got,
  type Level,
  Mailbox,
  type Maker,
  type Place,
  type Player,
  type PublishWish,
  Refused,
} from './player.ts';

const SCHEMES = { tcp: 'mqtt', ws: 'ws', tls: 'mqtts' } as const;

/** Properties as MQTT.js takes them: user properties are an object, so that only names of several values repeat. */
function given(properties: Properties = {}): Record<string, unknown> {
  const { userProperties, payloadFormatIndicator, ...others } = properties;
  const found: Record<string, unknown> = others;
  if (payloadFormatIndicator !== undefined) found['payloadFormatIndicator'] = payloadFormatIndicator === 1;
  if (userProperties !== undefined) {
    const pairs: Record<string, string | string[]> = {};
    for (const [name, value] of userProperties) {
      const before = pairs[name];
      pairs[name] = before === undefined ? value : [before, value].flat();
    }
    found['userProperties'] = pairs;
  }
  return found;
}

/** Properties of MQTT.js in the project's form. */
function taken(properties: object | undefined): Properties {
  const { userProperties, subscriptionIdentifier, payloadFormatIndicator, ...others } = (properties ?? {}) as Record<
    string,
    unknown
  >;
  const found = others as Properties;
  if (userProperties !== undefined) {
    const pairs = Object.entries(userProperties as Record<string, string | string[]>);
    found.userProperties = pairs.flatMap(([name, values]) =>
      [values].flat().map((value): [string, string] => [name, value]),
    );
  }
  if (subscriptionIdentifier !== undefined) found.subscriptionIdentifiers = [subscriptionIdentifier].flat() as number[];
  if (payloadFormatIndicator !== undefined) found.payloadFormatIndicator = payloadFormatIndicator === true ? 1 : 0;
  return found;
}

function optionsOf(place: Place, level: Level, wish: ConnectWish): IClientOptions {
  const { id, clean = true, will, username, password, reconnects = false, properties } = wish;
  const options: IClientOptions = {
    protocolVersion: level,
    protocolId: level === 3 ? 'MQIsdp' : 'MQTT',
    clientId: id,
    clean,
    reconnectPeriod: reconnects ? 20 : 0,
    resubscribe: false,
    keepalive: 30,
  };
  if (place.kind === 'tls') options.ca = readFileSync(place.ca);
  if (username !== undefined) options.username = username;
  if (password !== undefined) options.password = password;
  if (level === 5 && properties !== undefined) options.properties = given(properties);
  if (will !== undefined) {
    options.will = {
      topic: will.topic,
      payload: Buffer.from(will.payload),
      qos: will.qos ?? 0,
      retain: will.retain ?? false,
      ...(level === 5 ? { properties: given(will.properties) } : {}),
    };
  }
  return options;
}

function dial(place: Place, level: Level, wish: ConnectWish, extra: IClientOptions): Promise<Player> {
  const { kind, port } = place;
  const url = `${SCHEMES[kind]}://localhost:${port}${kind === 'ws' ? '/mqtt' : ''}`;
  const client = mqtt.connect(url, { ...optionsOf(place, level, wish), ...extra });
  const messages = new Mailbox<Got>();
  let said: number | null = null;
  client.on('message', (topic, payload, packet: IPublishPacket) => {
    const { qos, retain, properties } = packet;
    messages.put({ topic, payload: payload.toString(), qos, retain, properties: taken(properties) });
  });
  client.on('disconnect', (packet) => {
    said = packet.reasonCode ?? 0;
  });
  const over = new Promise<number | null>((resolve) => client.once('close', () => resolve(said)));
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const code = 'code' in error && typeof error.code === 'number' ? error.code : null;
      client.end(true);
      reject(code === null ? error : new Refused(code));
    };
    client.once('error', fail);
    client.once('connect', (packet) => {
      // From now on an error is a connection that breaks, which is a matter of 'close'.
      client.off('error', fail).on('error', () => undefined);
      resolve(playerOf(client, packet, level, messages, over));
    });
  });
}

function playerOf(
  client: MqttClient,
  granted: IConnackPacket,
  level: Level,
  messages: Mailbox<Got>,
  over: Promise<number | null>,
): Player {
  return {
    present: granted.sessionPresent,
    properties: taken(granted.properties),
    async publish(topic, payload, { qos = 0, retain = false, properties }: PublishWish = {}) {
      const extra = level === 5 && properties !== undefined ? { properties: given(properties) } : {};
      try {
        await client.publishAsync(topic, payload, { qos, retain, ...extra });
        return null;
      } catch (error) {
        const { code } = error as { code?: unknown };
        if (typeof code === 'number') return code;
        throw error;
      }
    },
    async subscribe(filters, properties) {
      const granted = await new Promise<readonly number[]>((resolve, reject) => {
        const wanted = Object.fromEntries(
          filters.map(({ filter, qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 }) => {
            const marks = level === 5 ? { nl: noLocal, rap: retainAsPublished, rh: retainHandling } : {};
            return [filter, { qos, ...marks }];
          }),
        );
        const extra = level === 5 && properties !== undefined ? { properties: given(properties) } : {};
        client.subscribe(wanted, extra as { qos: 0 }, (error, _grants, packet) => {
          // A refused filter is an error to MQTT.js, whose packet has the codes all the same.
          if (packet !== undefined) resolve(packet.granted as readonly number[]);
          else if (error) reject(error);
          else resolve([]);
        });
      });
      return granted;
    },
    async unsubscribe(filters) {
      await client.unsubscribeAsync([...filters]);
    },
    next: () => messages.take(),
    async end(code = 0, properties) {
      const said = level === 5 ? { reasonCode: code, properties: given(properties) } : {};
      await client.endAsync(false, said as object);
    },
    async cut() {
      client.stream.destroy();
      await over;
    },
    gone: () => over,
  };
}

/**
 * MQTT.js; `extra` are options of its own. It deviates in that it pays no heed to the broker's Receive Maximum (sending
 * more is an error of the client, MQTT 5.0 section 4.9), and it tells no reason codes of success (such as 0x10).
 */
export function mqttJs(extra: IClientOptions = {}): Maker {
  return {
    name: 'MQTT.js',
    lacks: ['repeated user properties', 'the receive maximum of the broker'],
    dial: (place, level, wish) => dial(place, level, wish, extra),
    close: () => Promise.resolve(),
  };
}
