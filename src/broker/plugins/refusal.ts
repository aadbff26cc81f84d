// Why a client is not let in, for the broker's log only: the client itself learns that it is not authorised, no more.
import type { Logger } from '../../log/logger.ts';
import type { AuthRequest } from '../hooks/points.ts';

/** Logs a refusal. `why` is the end of a sentence without its full stop, and holds no secret. */
export function logRefusal(log: Logger, request: AuthRequest, why: string): void {
  const { clientId, peer } = request;
  log.information?.(`Client ${clientId} [${peer.address}:${peer.port}] is refused: ${why}.`);
}
