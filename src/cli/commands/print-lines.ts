// Prints many lines at the pace of whoever reads them.
import type { Io } from '../io.ts';
import { EXIT_ERROR, EXIT_OK, UsageError } from '../messages.ts';
import { Output } from '../output.ts';

/** Lines after which the loop goes on in its next turn, so that it is noticed when the reader has gone. */
const TURN = 256;

/**
 * Prints lines, which are asked for as they can be written, on standard output; resolves to the exit code. Who reads them
 * may have had enough of them; throws UsageError where they are cut off for another reason.
 */
export async function printLines(lines: Iterable<string>, { stdout }: Io): Promise<number> {
  const out = new Output(stdout);
  let isOver = false;
  let wake = () => {};
  let room: Promise<void> | null = null;
  out.watch({
    full: () => {
      room = new Promise((resolve) => {
        wake = resolve;
      });
    },
    drained: () => wake(),
    closed: () => {
      isOver = true;
      wake();
    },
  });
  let count = 0;
  for (const line of lines) {
    out.text(`${line}\n`);
    count += 1;
    if (count % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    await room;
    if (isOver) break;
  }
  await out.finish();
  // A file takes or refuses bytes at once, and says of a failure a moment later.
  await new Promise((resolve) => setImmediate(resolve));
  if (out.fault !== null) throw new UsageError(out.fault, 'nothing', EXIT_ERROR);
  return EXIT_OK;
}
