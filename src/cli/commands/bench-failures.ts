// What failed in a run, in sentences for people, and the exit codes of mqtt-bench.
import type { Endpoint } from '../../client/options.ts';
import type { Explain } from '../../load/crew.ts';
import { EXIT_ERROR, EXIT_OK } from '../messages.ts';
import type { Outcome } from './bench-run.ts';
import { whileConnecting } from './explain-connecting.ts';
import { failureOf } from './failure.ts';

/** Connections, subscriptions or messages were refused, connections lost, or the broker took no more. */
const EXIT_FAILURES = 2;
/** Everything went, but messages are missing, or came twice at QoS 2. */
const EXIT_LOST = 3;

const ended = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** Makes sentences of the clients' errors. */
export function explainFailure(endpoint: Endpoint): Explain {
  return (error, isConnecting) => {
    const { sentences, details } = failureOf(isConnecting ? whileConnecting(error, endpoint) : error);
    // The first detail is the cause, and what follows it more than a line of a summary has room for.
    return [...sentences, ...details.slice(0, 1)].map((text) => ended(text.replace(/^Error: /, ''))).join(' ');
  };
}

/** The exit code of a run; `lost` is null where it can't be told. */
export function exitCode({ result, hasStalled }: Outcome, lost: number | null, qos: number): number {
  const { counts } = result;
  if (counts.connected === 0) return EXIT_ERROR;
  if (hasStalled) return EXIT_FAILURES;
  const { connectFailed, connectionsLost, subscribeFailed, publishRefused } = counts;
  if (connectFailed + connectionsLost + subscribeFailed + publishRefused > 0) return EXIT_FAILURES;
  return (lost ?? 0) > 0 || (qos === 2 && counts.duplicated > 0) ? EXIT_LOST : EXIT_OK;
}
