// What the broker grants an MQTT 5 client in CONNACK under a configuration: the meaning of the word `limits`.
import { type Word, wordsOf } from './wire-text.ts';

/** The properties that lines of mosquitto.conf amount to, in the order in which the broker sends them. */
export function limitsOf(config: readonly string[]): Word[] {
  const option = (name: string, otherwise: string): string =>
    config.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? otherwise;
  const limits = [
    ['topic-alias-maximum', option('max_topic_alias', '10'), '0'],
    ['retain-available', option('retain_available', 'true') === 'false' ? '0' : '1', '1'],
    ['maximum-packet-size', option('max_packet_size', '2000000'), ''],
    ['receive-maximum', option('max_inflight_messages', '20'), '0'],
    ['maximum-qos', option('max_qos', '2'), '2'],
    ['wildcard-subscription-available', option('allow_wildcard_subscriptions', 'true') === 'false' ? '0' : '1', '1'],
    [
      'subscription-identifier-available',
      option('allow_subscription_identifiers', 'true') === 'false' ? '0' : '1',
      '1',
    ],
    ['shared-subscription-available', option('allow_shared_subscriptions', 'true') === 'false' ? '0' : '1', '1'],
  ];
  return limits.flatMap(([name, value, unsaid]) => (value === unsaid ? [] : wordsOf(`${name}=${value}`)));
}

/** Words with `limits` spelled out. */
export function withLimits(words: readonly Word[], limits: readonly Word[]): Word[] {
  return words.flatMap((word) => (isLimits(word) ? limits : [word]));
}

const isLimits = (word: Word): boolean => word.key === null && !word.quoted && word.value.toString() === 'limits';
