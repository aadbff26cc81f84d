// Options of a client tool → options of the client: where to connect, with which session, will and properties.
import type { ClientOptions, Endpoint } from '../client/options.ts';
import { NEVER_EXPIRES } from '../protocol/constants.ts';
import type { Properties } from '../protocol/properties.ts';
import type { Io } from './io.ts';
import { localDomain } from './local-domain.ts';
import { UsageError } from './messages.ts';
import type { CONNECTION_OPTIONS } from './options/connection.ts';
import type { PROPERTY_OPTIONS } from './options/properties.ts';
import type { Fields } from './options/row.ts';
import type { TLS_OPTIONS } from './options/tls.ts';
import type { WILL_OPTIONS } from './options/will.ts';
import { gatherProperties } from './property-option.ts';
import { bytesOf } from './raw-arguments.ts';
import { tlsOptions } from './tls-options.ts';

type ConnectionRow =
  | (typeof CONNECTION_OPTIONS)[number]
  | (typeof WILL_OPTIONS)[number]
  | (typeof PROPERTY_OPTIONS)[number]
  | (typeof TLS_OPTIONS)[number];

/** What all clients' options have; `count` only mqtt-sub, `failOnDenied` not mqtt-bench. */
export type ConnectionFields = Fields<ConnectionRow, 'pub'> & {
  readonly count?: number | null;
  readonly failOnDenied?: boolean;
};

/** Receive maximum that the tools announce (MQTT 5). */
const RECEIVE_MAXIMUM = 20;

/**
 * The options of `connect` that follow from the command line; the caller adds `reconnect` and `trace`. Reads the files of
 * the TLS options. Throws UsageError.
 */
export function connectionOptions(
  tool: 'pub' | 'sub' | 'rr',
  options: ConnectionFields,
  env: Io['env'],
): ClientOptions {
  const version = protocolVersion(tool, options);
  const { username, password } = options;
  if (password !== null && username === null && version !== '5') {
    throw new UsageError('Problem setting username and/or password.\nA password needs a user name (-u).', 'nothing');
  }
  const clientId = options.idPrefix === null ? options.id : `${options.idPrefix}${process.pid}`;
  return {
    endpoint: endpoint(options, env),
    version,
    cleanStart: !options.persistent,
    keepAlive: options.keepAlive,
    maxInflight: options.maxInflight,
    properties: version === '5' ? connectProperties(options) : {},
    ...(clientId === null ? {} : { clientId }),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...will(options),
  };
}

/**
 * The version to speak: -D and -x choose MQTT 5, as they make no sense without it. So does --fail-on-denied of mqtt-pub where
 * -V says nothing: before MQTT 5 no broker tells that it refuses a message.
 */
export function protocolVersion(tool: string, options: ConnectionFields): '3.1' | '3.1.1' | '5' {
  if (options.properties.length > 0 || options.sessionExpiry !== null) return '5';
  return (
    options.protocolVersion ?? (tool === 'rr' || (tool === 'pub' && options.failOnDenied === true) ? '5' : '3.1.1')
  );
}

function connectProperties(options: ConnectionFields): Properties {
  const expiry = options.sessionExpiry ?? (options.persistent ? NEVER_EXPIRES : null);
  return {
    receiveMaximum: Math.min(options.count ?? RECEIVE_MAXIMUM, RECEIVE_MAXIMUM),
    ...(expiry === null ? {} : { sessionExpiryInterval: expiry }),
    ...gatherProperties(options.properties, 'connect'),
  };
}

function will(options: ConnectionFields): Pick<ClientOptions, 'will'> {
  if (options.willTopic === null) return {};
  return {
    will: {
      topic: options.willTopic,
      payload: bytesOf(options.willPayload ?? ''),
      qos: options.willQos,
      retain: options.willRetain,
      properties: gatherProperties(options.properties, 'will'),
    },
  };
}

function endpoint(options: ConnectionFields, env: Io['env']): Endpoint {
  const way = {
    ...(options.bindAddress === null ? {} : { localAddress: options.bindAddress }),
    ...(options.proxy === null ? {} : { proxy: options.proxy }),
    ...(options.srv ? { srv: {} } : {}),
  };
  if (options.unix === '') throw new UsageError('--unix argument given but no socket path specified.');
  if (options.unix !== null) return { kind: 'unix', host: options.unix, port: 0 };
  const ws = options.ws || options.url?.ws === true;
  const host = options.host ?? (options.srv ? localDomain() : 'localhost');
  if (!wantsTls(options, options.port)) return { kind: ws ? 'ws' : 'tcp', host, port: options.port ?? 1883, ...way };
  return { kind: ws ? 'wss' : 'tls', host, port: options.port ?? 8883, tls: tlsOptions(options, env), ...way };
}

/** Port 8883 alone means TLS; so does every option that only TLS has a use for, except --insecure. */
function wantsTls(options: ConnectionFields, port: number | null): boolean {
  if (options.noTls) return false;
  return (
    options.cafile !== null ||
    options.capath !== null ||
    options.cert !== null ||
    options.psk !== null ||
    options.tlsUseOsCerts ||
    options.url?.tls === true ||
    port === 8883
  );
}
