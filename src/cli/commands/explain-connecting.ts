// Why a first attempt to connect failed. The two sides may disagree about TLS or WebSocket, something else may listen there,
// or nobody answers: how far the attempt came and what was heard tell which.
import { ConnectionLost } from '../../client/errors.ts';
import type { Endpoint } from '../../client/options.ts';
import { type CertificateFacts, faultyCertificate } from '../../net/certificate-notes.ts';
import { answerBefore, type DialStage, dialFacts, UpgradeRefused } from '../../net/dial-facts.ts';
import { certificateFacts } from '../../net/tls-certificates.ts';
import { explainTlsError } from '../../net/tls-errors.ts';
import { PeerFault } from '../../protocol/errors.ts';
import { printable } from '../../util/printable.ts';
import { EXIT_LOST, EXIT_PROTOCOL } from '../exit-status.ts';
import { EXIT_ERROR } from '../messages.ts';
import { whoAnswered } from './explain-answer.ts';
import { certificateLines } from './explain-certificate.ts';
import { endpointText, explainDial, peerText } from './explain-dial.ts';
import { type Failure, failureOf, NO_MQTT, NotConnected, tlsFailure } from './failure.ts';

/** How the client says that connecting took too long (reconnect.ts of the client). */
const TOO_LATE = /^No connection was made within (\d+(?:\.\d+)?) seconds$/;

const isSecure = ({ kind }: Endpoint): boolean => kind === 'tls' || kind === 'wss';
const isWebSocket = ({ kind }: Endpoint): boolean => kind === 'ws' || kind === 'wss';

/** The error of a first attempt as one that explains itself; a bug stays as it is. */
export function whileConnecting(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof Error)) return error;
  let plain: Failure;
  try {
    plain = failureOf(error);
  } catch {
    return error;
  }
  const explained = explain(error, endpoint, plain);
  return explained === plain ? error : new NotConnected(explained, error);
}

function explain(error: Error, endpoint: Endpoint, plain: Failure): Failure {
  const stage = dialFacts(error)?.stage ?? 'connack';
  const seconds = TOO_LATE.exec(error instanceof ConnectionLost ? error.message : '')?.[1];
  if (seconds !== undefined) return tooLate(error, endpoint, plain, stage, Number(seconds));
  if (error instanceof UpgradeRefused) return noWebSocket(error, endpoint);
  if (error instanceof PeerFault) return noBroker(error, endpoint, plain);
  const cause = error instanceof ConnectionLost && error.cause instanceof Error ? error.cause : error;
  const tls = tlsExplanation(cause, endpoint, stage);
  if (tls !== null) return tlsFailure(tls, certificateOfTls(error, cause, endpoint));
  if (error instanceof ConnectionLost) return closed(error, endpoint, plain);
  if (stage === 'websocket') {
    const details = [`${peerText(error, endpoint)} closed the connection: ${suspicion(endpoint, stage)}.`];
    return { ...plain, details };
  }
  const details = stage === 'connect' ? explainDial(error, endpoint, null) : [];
  return details.length === 0 ? plain : { ...plain, details };
}

/** Nothing came in time: to the connection, to the handshake or to CONNECT. */
function tooLate(error: Error, endpoint: Endpoint, plain: Failure, stage: DialStage, seconds: number): Failure {
  const { proxy } = endpoint;
  if (stage === 'connect' || stage === 'proxy') {
    const dialled: Endpoint = proxy === undefined ? endpoint : { kind: 'tcp', host: proxy.host, port: proxy.port };
    const details =
      stage === 'connect'
        ? explainDial(error, dialled, seconds)
        : [`The SOCKS proxy ${endpointText(dialled)} made no connection to ${endpointText(endpoint)} in time.`];
    return { sentences: ['Error: Connection timed out'], details, code: EXIT_ERROR };
  }
  const what = { tls: 'the TLS handshake', websocket: 'the WebSocket request', connack: 'CONNECT' }[stage];
  const peer = peerText(error, endpoint);
  const details = [
    `${peer} took the connection and did not answer ${what}: ${suspicion(endpoint, stage)}, or it hangs.`,
  ];
  return { ...plain, details };
}

/** What may be wrong where the other side says nothing at this stage. */
function suspicion(endpoint: Endpoint, stage: DialStage): string {
  if (stage === 'tls') return 'it may speak no TLS on this port';
  const tls = isSecure(endpoint) ? '' : ', or expect TLS on this port (--cafile)';
  return stage === 'websocket' ? `it may speak no WebSocket${tls}` : `it may speak no MQTT${tls}`;
}

/** The answer to CONNECT was none. */
function noBroker(fault: PeerFault, endpoint: Endpoint, plain: Failure): Failure {
  const answer = answerBefore(fault);
  if (answer === null || answer.length === 0) return plain;
  const who = whoAnswered(answer);
  const advice =
    who.startsWith('a web server') && !isWebSocket(endpoint) ? ' If it is a broker, try WebSocket (--ws).' : '';
  const sentence = `What answers at ${peerText(fault, endpoint)} speaks no MQTT: it looks like ${who}.${advice}`;
  return { sentences: [NO_MQTT], details: [sentence], code: EXIT_PROTOCOL };
}

/** The answer to the request for a WebSocket was another one. */
function noWebSocket(error: UpgradeRefused, endpoint: Endpoint): Failure {
  const peer = peerText(error, endpoint);
  const text = printable(error.message);
  const sentence =
    error.status === 0
      ? `What answers at ${peer} speaks no WebSocket: ${text}. Without --ws the tool speaks plain MQTT.`
      : `A web server answers at ${peer}, and opens no WebSocket for MQTT: "${text}". Check the port and the path.`;
  return { sentences: [NO_MQTT], details: [sentence], code: EXIT_PROTOCOL };
}

/** The connection ended without an answer to CONNECT. */
function closed(error: ConnectionLost, endpoint: Endpoint, plain: Failure): Failure {
  if (error.reason !== null || plain.code !== EXIT_LOST || !error.message.startsWith('The connection was lost')) {
    return plain;
  }
  const peer = peerText(error, endpoint);
  if (!isSecure(endpoint)) {
    const why = endpoint.kind === 'unix' ? 'the log of the broker may tell why' : suspicion(endpoint, 'connack');
    return { ...plain, details: [`${peer} closed the connection without an answer: ${why}.`] };
  }
  const own = ownCertificate(endpoint);
  const sentence =
    own === null
      ? `${peer} closed the connection right after the TLS handshake: it may want a certificate (--cert and --key).`
      : `${peer} closed the connection right after the TLS handshake: it may not accept the certificate of --cert.`;
  return { ...plain, details: [sentence, ...(own === null ? [] : certificateLines(own, Date.now()))] };
}

/** Why TLS failed, or null for an error that has nothing to do with it. */
function tlsExplanation(cause: Error, endpoint: Endpoint, stage: DialStage): string | null {
  const explanation = explainTlsError(cause);
  if (explanation !== null || !isSecure(endpoint) || stage !== 'tls') return explanation;
  if ((cause as NodeJS.ErrnoException).code !== 'ECONNRESET') return null;
  return 'The other side closed the connection: it speaks no TLS on this port.';
}

/** Errors with which the other side turns our certificate down. */
const OURS_REFUSED =
  /_ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:EXPIRED|REVOKED|UNKNOWN)|ACCESS_DENIED|DECRYPT_ERROR)$/;

/** The certificate that a TLS error is about: theirs, or ours where they turned it down. */
function certificateOfTls(error: Error, cause: Error, endpoint: Endpoint): string[] {
  const isOurs = OURS_REFUSED.test((cause as NodeJS.ErrnoException).code ?? '');
  const facts = isOurs ? ownCertificate(endpoint) : faultyCertificate(cause);
  return [
    ...(dialFacts(error) === null ? [] : [`Tried: ${peerTextOf(error, endpoint)}.`]),
    ...(facts === null ? [] : [isOurs ? 'The certificate of --cert:' : 'That certificate:']),
    ...(facts === null ? [] : certificateLines(facts, Date.now())),
  ];
}

/** The endpoint as it was named, with the address behind it. */
function peerTextOf(error: Error, endpoint: Endpoint): string {
  const name = endpointText(endpoint);
  const peer = peerText(error, endpoint);
  return peer.startsWith(name) ? peer : `${name} (${peer})`;
}

/** The certificate that the tool was given; null without one, or with one that cannot be read. */
function ownCertificate(endpoint: Endpoint): CertificateFacts | null {
  const { cert } = endpoint.tls ?? {};
  if (cert === undefined) return null;
  try {
    return certificateFacts(cert);
  } catch {
    return null;
  }
}
