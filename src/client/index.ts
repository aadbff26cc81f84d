// The public surface of the client.

export { LookupError } from '../net/lookup-error.ts';
export { ProxyError, type ProxyFault } from '../net/proxy-error.ts';
export type { ProxySpec, SrvOptions } from '../net/specs.ts';
export { PeerFault } from '../protocol/errors.ts';
export type { SubscriptionRequest, Will } from '../protocol/packets.ts';
export type { Properties } from '../protocol/properties.ts';
export type { Reason } from '../protocol/reasons.ts';
export { connect } from './client.ts';
export { ConnectionLost, ConnectRefused, InvalidRequest } from './errors.ts';
export type {
  Authentication,
  Client,
  ClientEvents,
  ClientOptions,
  ClientTrace,
  ConnectedInfo,
  Endpoint,
  PublishOptions,
  PublishResult,
  PublishTrace,
  ReceivedMessage,
  ReconnectOptions,
  SubscribeFilter,
  SubscribeResult,
  TlsClientOptions,
} from './options.ts';
export { type RequestOptions, request } from './request.ts';
export type { SavedMessage, SessionState } from './session-state.ts';
