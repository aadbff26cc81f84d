// Why a client could not connect, or could not go on: the sentences for people and the exit code for scripts.
import { ConnectionLost, ConnectRefused, InvalidRequest } from '../../client/errors.ts';
import type { Endpoint } from '../../client/options.ts';
import { explainTlsError } from '../../net/tls-errors.ts';
import { PeerFault, UnexpectedPacket } from '../../protocol/errors.ts';
import {
  KEEP_ALIVE_TIMEOUT,
  PACKET_TOO_LARGE,
  QOS_NOT_SUPPORTED,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../../protocol/reasons.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { brokersWords } from '../brokers-words.ts';
import { EXIT_ERROR } from '../messages.ts';
import { wayFailure } from './way-failure.ts';

/** The other side broke the protocol. */
const EXIT_PROTOCOL = 2;
/** The connection was lost. */
const EXIT_LOST = 7;
/** TLS failed, mostly because a certificate does not fit. */
const EXIT_TLS = 14;
/** The broker stopped answering. */
const EXIT_KEEP_ALIVE = 19;
/** The broker does not take this quality of service. */
const EXIT_QOS = 24;
/** The broker does not take so large a message. */
const EXIT_OVERSIZE = 25;

/** What to say and how to exit. */
export interface Failure {
  readonly sentences: readonly string[];
  readonly code: number;
}

/** A first attempt that failed in a way that only whoever dialled can explain. */
class NotConnected extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause: Error) {
    super(failure.sentences.join(' '), { cause });
    this.failure = failure;
  }
}

/**
 * The error of a first attempt, made clearer where the two sides seem to disagree about TLS or WebSocket: a broker that gets
 * plain text on its TLS port, or TLS on another one, mostly just closes the connection. A web server answers with text.
 */
export function whileConnecting(error: unknown, kind: Endpoint['kind']): unknown {
  const isSecure = kind === 'tls' || kind === 'wss';
  if (error instanceof ConnectionLost && error.reason === null) {
    const { sentences, code } = lost(error);
    if (code !== EXIT_LOST || !error.message.startsWith(LOST)) return error;
    const hint = isSecure
      ? 'The broker closed the connection right after the TLS handshake: it may want a certificate (--cert and --key), or not accept the one given.'
      : 'The broker closed the connection without an answer: it may expect TLS on this port (--cafile).';
    return kind === 'unix' ? error : new NotConnected({ sentences: [...sentences, hint], code }, error);
  }
  if (error instanceof UnexpectedPacket) {
    const sentence = 'Error: The other side speaks no MQTT on this port: its first packet is no CONNACK.';
    return new NotConnected({ sentences: [sentence], code: EXIT_PROTOCOL }, error);
  }
  if (kind === 'ws' && error instanceof Error && (error as NodeJS.ErrnoException).code === 'ECONNRESET') {
    const hint = 'The broker may speak no WebSocket on this port, or expect TLS (--cafile).';
    return new NotConnected({ sentences: [`Error: ${systemErrorText(error)}`, hint], code: EXIT_ERROR }, error);
  }
  if (isSecure && error instanceof Error && (error as NodeJS.ErrnoException).code === 'ECONNRESET') {
    const sentence = explainTlsError(error) ?? 'The other side closed the connection: it speaks no TLS on this port.';
    return new NotConnected({ sentences: [`Error: ${sentence}`], code: EXIT_TLS }, error);
  }
  return error;
}

/** How the client begins its sentence about a connection that ended without a reason. */
const LOST = 'The connection was lost';
const LOOKUP_ERRORS: readonly string[] = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'];

/** The failure that an error of the client stands for. An error of ours (a bug) is thrown again. */
export function failureOf(error: unknown): Failure {
  if (error instanceof NotConnected) return error.failure;
  if (error instanceof ConnectRefused) return refusal(error);
  if (error instanceof ConnectionLost) return lost(error);
  if (error instanceof InvalidRequest) return invalidRequest(error);
  if (error instanceof PeerFault) {
    return {
      sentences: [`Error: ${sentence(`the broker broke the protocol: ${error.message}`)}`],
      code: EXIT_PROTOCOL,
    };
  }
  const way = wayFailure(error, failureOf);
  if (way !== null) return way;
  if (!(error instanceof Error)) throw error;
  const explanation = explainTlsError(error);
  if (explanation !== null) return { sentences: [`Error: ${explanation}`], code: EXIT_TLS };
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof TypeError || error instanceof RangeError) throw error;
  if (LOOKUP_ERRORS.includes(code)) return { sentences: ['Unable to connect (Lookup error).'], code: EXIT_ERROR };
  return { sentences: [`Error: ${systemErrorText(error)}`], code: EXIT_ERROR };
}

/** What the CONNACK said. 3.x has return codes and sentences of its own. */
function refusal(error: ConnectRefused): Failure {
  if (error.returnCode !== 0) return { sentences: [`Connection error: ${error.message}`], code: error.returnCode };
  const { reason, properties } = error;
  const hint =
    reason === UNSUPPORTED_PROTOCOL_VERSION ? '. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.' : '';
  return { sentences: [`Connection error: ${reason.text}${hint}`, ...brokersWords(properties)], code: reason.code };
}

/** An established connection may still fail over TLS: a client certificate is refused only after the handshake. */
function lost(error: ConnectionLost): Failure {
  const explanation = error.cause instanceof Error ? explainTlsError(error.cause) : null;
  if (explanation !== null) return { sentences: [`Error: ${explanation}`], code: EXIT_TLS };
  const text = error.message.startsWith(LOST) ? LOST : error.message;
  return {
    sentences: [`Error: ${sentence(text)}`, ...brokersWords(error.properties)],
    code: error.reason === KEEP_ALIVE_TIMEOUT ? EXIT_KEEP_ALIVE : EXIT_LOST,
  };
}

function invalidRequest(error: InvalidRequest): Failure {
  const code =
    error.reason === PACKET_TOO_LARGE ? EXIT_OVERSIZE : error.reason === QOS_NOT_SUPPORTED ? EXIT_QOS : EXIT_ERROR;
  return { sentences: [`Error: ${sentence(error.message)}`], code };
}

/** With a capital and a full stop. */
const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
