// Why a client could not connect, or could not go on: the sentences for people and the exit code for scripts. The first
// sentences are Mosquitto's, where they are true; the details behind them are ours.
import { ConnectionLost, ConnectRefused, InvalidRequest } from '../../client/errors.ts';
import { UpgradeRefused } from '../../net/dial-facts.ts';
import { explainTlsError } from '../../net/tls-errors.ts';
import { PeerFault } from '../../protocol/errors.ts';
import {
  KEEP_ALIVE_TIMEOUT,
  PACKET_TOO_LARGE,
  QOS_NOT_SUPPORTED,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../../protocol/reasons.ts';
import { printable } from '../../util/printable.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { brokersWords } from '../brokers-words.ts';
import { EXIT_KEEP_ALIVE, EXIT_LOST, EXIT_OVERSIZE, EXIT_PROTOCOL, EXIT_QOS, EXIT_TLS } from '../exit-status.ts';
import { EXIT_ERROR } from '../messages.ts';
import { meaningOf } from './explain-reason.ts';
import { wayFailure } from './way-failure.ts';

/** What to say and how to exit. */
export interface Failure {
  /** In Mosquitto's words. */
  readonly sentences: readonly string[];
  /** What explains them. */
  readonly details: readonly string[];
  readonly code: number;
}

/** How the client begins its sentence about a connection that ended without a reason. */
const LOST = 'The connection was lost';
/** How it begins the one about a DISCONNECT of the broker. */
const CLOSED = 'The broker closed the connection';
const LOOKUP_ERRORS: readonly string[] = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'];

/** Mosquitto's words for whatever breaks the rules of MQTT. */
export const NO_MQTT = 'Error: A network protocol error occurred when communicating with the broker.';

/** And for whatever goes wrong with TLS. */
const NO_TLS = 'Error: A TLS error occurred.';

/** The failure of a TLS handshake. */
export function tlsFailure(explanation: string, more: readonly string[] = []): Failure {
  return { sentences: [NO_TLS], details: [printable(explanation), ...more], code: EXIT_TLS };
}

/** A first attempt that failed, with what only whoever dialled can tell of it. */
export class NotConnected extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause: Error) {
    super(failure.sentences.join(' '), { cause });
    this.failure = failure;
  }
}

/** The failure that an error of the client stands for. An error of ours (a bug) is thrown again. */
export function failureOf(error: unknown): Failure {
  if (error instanceof NotConnected) return error.failure;
  if (error instanceof ConnectRefused) return refusal(error);
  if (error instanceof ConnectionLost) return lost(error);
  if (error instanceof InvalidRequest) return invalidRequest(error);
  if (error instanceof UpgradeRefused) return { sentences: [NO_MQTT], details: [], code: EXIT_PROTOCOL };
  if (error instanceof PeerFault) {
    const details = [sentence(`the broker broke the protocol: ${error.message}`)];
    return { sentences: [NO_MQTT], details, code: EXIT_PROTOCOL };
  }
  const way = wayFailure(error, failureOf);
  if (way !== null) return way;
  if (!(error instanceof Error)) throw error;
  const explanation = explainTlsError(error);
  if (explanation !== null) return tlsFailure(explanation);
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof TypeError || error instanceof RangeError) throw error;
  const { syscall } = error as NodeJS.ErrnoException;
  const text =
    LOOKUP_ERRORS.includes(code) || syscall === 'getaddrinfo'
      ? 'Unable to connect (Lookup error).'
      : `Error: ${systemErrorText(error)}`;
  return { sentences: [text], details: [], code: EXIT_ERROR };
}

/** The one sentence that says most of an error. */
export function causeOf(error: unknown): string {
  const { sentences, details } = failureOf(error);
  const [first = ''] = sentences;
  return first === NO_MQTT || first === NO_TLS ? (details[0] ?? first) : first;
}

/** All that is to be said of an error, in Mosquitto's words and in ours. */
export function sentencesOf(error: unknown): readonly string[] {
  const { sentences, details } = failureOf(error);
  return [...sentences, ...details];
}

/** What the CONNACK said. 3.x has return codes and sentences of its own. */
function refusal(error: ConnectRefused): Failure {
  const { reason, returnCode, properties } = error;
  if (returnCode !== 0) {
    return { sentences: [`Connection error: ${error.message}`], details: [], code: returnCode };
  }
  const hint =
    reason === UNSUPPORTED_PROTOCOL_VERSION ? '. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.' : '';
  const details = brokersWords(properties);
  return { sentences: [`Connection error: ${reason.text}${hint}`], details, code: reason.code };
}

/** An established connection may still fail over TLS: a client certificate is refused only after the handshake. */
function lost(error: ConnectionLost): Failure {
  const explanation = error.cause instanceof Error ? explainTlsError(error.cause) : null;
  if (explanation !== null) return tlsFailure(explanation);
  const text = error.message.startsWith(LOST) ? LOST : error.message;
  const meaning = error.message.startsWith(CLOSED) ? meaningOf(error.reason) : [];
  const isSilent = error.reason === KEEP_ALIVE_TIMEOUT && !error.message.startsWith(CLOSED);
  return {
    sentences: [`Error: ${sentence(text)}`],
    details: [...brokersWords(error.properties), ...meaning],
    code: isSilent ? EXIT_KEEP_ALIVE : EXIT_LOST,
  };
}

function invalidRequest(error: InvalidRequest): Failure {
  const code =
    error.reason === PACKET_TOO_LARGE ? EXIT_OVERSIZE : error.reason === QOS_NOT_SUPPORTED ? EXIT_QOS : EXIT_ERROR;
  return { sentences: [`Error: ${sentence(error.message)}`], details: [], code };
}

/** With a capital and a full stop. */
const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
