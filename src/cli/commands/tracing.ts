// -d: the trace that the options ask for.
import type { ClientTrace } from '../../client/options.ts';
import type { Parsed } from '../parse.ts';
import { traceLines } from '../trace/trace.ts';
import type { Console } from './console.ts';

/**
 * The trace of a client tool; null without -d.
 * @param tellsGranted whether a line says what was granted; mosquitto_rr has none
 */
export async function traceFor(
  { options, given }: Parsed<'pub' | 'sub' | 'rr'>,
  console: Console,
  tellsGranted: boolean,
): Promise<ClientTrace | null> {
  const line = (text: string): void => console.trace(text);
  const isRepeated = given.filter((key) => key === 'debug').length > 1;
  if (!options.debugPackets && !isRepeated) return options.debug ? traceLines(line, tellsGranted) : null;
  const { packetTrees } = await import('../trace/packet-trees.ts');
  return { ...traceLines(line, tellsGranted), bytes: packetTrees(line, console.paint) };
}
