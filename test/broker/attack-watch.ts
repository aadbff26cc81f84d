// What an attack must not change: what the process has open, what it remembers, and that others are served meanwhile.
import assert from 'node:assert/strict';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { join, type LogFile, until } from './harness.ts';

/** Sockets and timers that keep the process busy, by kind. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  // A turn of the loop that is asked for, and files that are read, come and go.
  for (const passing of ['Immediate', 'FSReqCallback', 'FSReqPromise', 'CloseReq']) counts.delete(passing);
  return counts;
}

/** A well-behaved client that is served while others are not, and the state to go back to. */
export interface Watch {
  /** Messages that the client sent and got back so far. */
  readonly trips: number;
  /**
   * Ends the watch: fails unless the client was served to the end, every connection that was logged is gone, and sockets
   * and timers are as they were.
   */
  over(): Promise<void>;
}

/** Starts a watch. The client is the only one that is connected besides the attackers. */
export async function watch(context: TestContext, port: number, log: LogFile | null = null): Promise<Watch> {
  const client = await join(context, port, { clientId: 'watch' });
  await client.subscribe('$watch/own');
  const before = resources();
  let trips = 0;
  let isOver = false;
  const round = (async () => {
    while (!isOver) {
      await client.publish('$watch/own', String(trips), { qos: 1 });
      assert.equal(await client.inbox.text(), `$watch/own ${trips}`);
      trips += 1;
      // Its own haste is not what is measured.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  // Waited for below; a failure before that must not end the process.
  round.catch(() => undefined);
  return {
    get trips() {
      return trips;
    },
    async over() {
      const seen = trips;
      await Promise.race([until(() => trips > seen + 1, 'the watching client is still served'), round]);
      isOver = true;
      await round;
      const isBack = (): boolean => [...resources()].every(([kind, count]) => count <= (before.get(kind) ?? 0));
      await until(isBack, 'sockets and timers as before').catch((error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify([[...before], [...resources()]])}`);
      });
      if (log === null) return;
      await until(
        () => log.count('New connection from') === log.count('] disconnected') + 1,
        'every attacker is logged as gone',
      );
    },
  };
}
