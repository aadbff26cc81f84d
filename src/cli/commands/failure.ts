// Why a client could not connect, or could not go on: the sentences for people and the exit code for scripts.
import { ConnectionLost, ConnectRefused, InvalidRequest } from '../../client/errors.ts';
import { explainTlsError } from '../../net/tls-errors.ts';
import { PeerFault } from '../../protocol/errors.ts';
import {
  KEEP_ALIVE_TIMEOUT,
  PACKET_TOO_LARGE,
  QOS_NOT_SUPPORTED,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../../protocol/reasons.ts';
import { EXIT_ERROR, systemErrorText } from '../messages.ts';

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

const LOOKUP_ERRORS: readonly string[] = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'];

/** The failure that an error of the client stands for. An error of ours (a bug) is thrown again. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ConnectRefused) return refusal(error);
  if (error instanceof ConnectionLost) return lost(error);
  if (error instanceof InvalidRequest) return invalidRequest(error);
  if (error instanceof PeerFault) {
    return {
      sentences: [`Error: ${sentence(`the broker broke the protocol: ${error.message}`)}`],
      code: EXIT_PROTOCOL,
    };
  }
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
    reason === UNSUPPORTED_PROTOCOL_VERSION
      ? '. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.'
      : properties.reasonString === undefined
        ? ''
        : ` (${properties.reasonString})`;
  return { sentences: [`Connection error: ${reason.text}${hint}`], code: reason.code };
}

/** An established connection may still fail over TLS: a client certificate is refused only after the handshake. */
function lost(error: ConnectionLost): Failure {
  const explanation = error.cause instanceof Error ? explainTlsError(error.cause) : null;
  if (explanation !== null) return { sentences: [`Error: ${explanation}`], code: EXIT_TLS };
  const text = error.message.startsWith('The connection was lost') ? 'The connection was lost' : error.message;
  return {
    sentences: [`Error: ${sentence(text)}`],
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
