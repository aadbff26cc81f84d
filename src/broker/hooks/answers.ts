// What plugins answer, looked at before it is believed.
import { CONNACK } from '../../protocol/constants.ts';
import { isRefusal, REASONS, SERVER_MOVED, USE_ANOTHER_SERVER } from '../../protocol/reasons.ts';
import { isSendableString } from '../../protocol/utf8.ts';
import { ALLOW, type AuthStep, DEFER, DENY, type Refusal } from './points.ts';

/** Why an object is no refusal, or null if it is one. */
export function refusalFault(answer: object): string | null {
  const { reason, serverReference, reasonString }: Partial<Refusal> = answer;
  if (
    reason === undefined ||
    !REASONS.includes(reason) ||
    !isRefusal(reason.code) ||
    !reason.packets.includes(CONNACK)
  ) {
    return 'the reason of the refusal is none that refuses a connection';
  }
  if (serverReference !== undefined) {
    if (!isText(serverReference)) return 'the server reference of the refusal is no text that can be sent';
    if (reason !== USE_ANOTHER_SERVER && reason !== SERVER_MOVED) {
      return 'a refusal has a server reference only with USE_ANOTHER_SERVER or SERVER_MOVED'; // section 3.2.2.3.16
    }
  }
  if (reasonString !== undefined && !isText(reasonString))
    return 'the reason string of the refusal is no text that can be sent';
  return null;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && isSendableString(value);
}

/** The step itself if it is one. @throws TypeError */
export function checkedStep(step: AuthStep | undefined): AuthStep {
  const isDecision = step?.decision === ALLOW || step?.decision === DENY || step?.decision === DEFER;
  if (!isDecision || (step.data !== null && !Buffer.isBuffer(step.data))) {
    throw new TypeError('the answer is no step of an authentication');
  }
  const fault = step.refusal === undefined ? null : refusalFault(step.refusal);
  if (fault !== null) throw new TypeError(fault);
  return step;
}
