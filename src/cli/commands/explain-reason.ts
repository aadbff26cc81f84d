// What the reasons of a broker that closes the connection mean for whoever runs the tool, and what to do.
import {
  ADMINISTRATIVE_ACTION,
  CONNECTION_RATE_EXCEEDED,
  KEEP_ALIVE_TIMEOUT,
  MAXIMUM_CONNECT_TIME,
  MESSAGE_RATE_TOO_HIGH,
  NOT_AUTHORIZED,
  PACKET_TOO_LARGE,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RECEIVE_MAXIMUM_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  type Reason,
  SERVER_BUSY,
  SERVER_MOVED,
  SERVER_SHUTTING_DOWN,
  SESSION_TAKEN_OVER,
  TOPIC_ALIAS_INVALID,
  TOPIC_FILTER_INVALID,
  TOPIC_NAME_INVALID,
  USE_ANOTHER_SERVER,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
} from '../../protocol/reasons.ts';

const elsewhere = 'Connect to the server that it names, or ask whoever runs the broker.';

const MEANINGS: readonly (readonly [Reason, string])[] = [
  [SESSION_TAKEN_OVER, 'Another client connected with the same client id. Give each one an id of its own (-i, or -I).'],
  [SERVER_SHUTTING_DOWN, 'The broker is being stopped, or started anew. Try again later.'],
  [SERVER_BUSY, 'The broker has too much to do. Try again later.'],
  [NOT_AUTHORIZED, 'This client may not do what it tried; the rules of the broker decide that. See -u and -P.'],
  [
    KEEP_ALIVE_TIMEOUT,
    'The broker heard nothing for one and a half times the keep-alive (-k): the line was down or slow.',
  ],
  [PACKET_TOO_LARGE, 'A message was larger than the broker takes.'],
  [MESSAGE_RATE_TOO_HIGH, 'Messages came faster than the broker takes them.'],
  [QUOTA_EXCEEDED, 'A limit that the broker sets for its clients was reached.'],
  [RECEIVE_MAXIMUM_EXCEEDED, 'More messages were under way than the broker takes at once. See -M.'],
  [ADMINISTRATIVE_ACTION, 'Somebody who runs the broker closed the connection.'],
  [TOPIC_NAME_INVALID, 'The broker does not take messages on this topic.'],
  [TOPIC_FILTER_INVALID, 'The broker does not take this subscription.'],
  [TOPIC_ALIAS_INVALID, 'The broker takes fewer topic aliases than were used.'],
  [RETAIN_NOT_SUPPORTED, 'The broker keeps no retained messages: leave out -r.'],
  [QOS_NOT_SUPPORTED, 'The broker does not take this quality of service: use a lower one (-q).'],
  [WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED, "The broker takes no filters with '+' or '#'."],
  [USE_ANOTHER_SERVER, elsewhere],
  [SERVER_MOVED, elsewhere],
  [CONNECTION_RATE_EXCEEDED, 'Connections came faster than the broker takes them. Try again later.'],
  [MAXIMUM_CONNECT_TIME, 'The broker lets no connection last longer than this one did.'],
];

/** What a reason means and what to do; nothing for one that speaks for itself. */
export function meaningOf(reason: Reason | null): readonly string[] {
  return MEANINGS.filter(([known]) => known === reason).map(([, meaning]) => meaning);
}
