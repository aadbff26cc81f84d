// Where sockets with lent reads can't be had, Node's own take their place.
import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { test } from 'node:test';
import { lendReads } from '../../../src/net/lent-reads.ts';

const never = (): never => assert.fail('no socket was to be made');

test('a failed accept, and what no socket can be made of, are left to Node', () => {
  const calls: unknown[][] = [];
  const handle = {
    onconnection(...args: unknown[]) {
      calls.push([this, ...args]);
    },
  };
  lendReads({ _handle: handle } as unknown as Server, true, never);
  const unknown = { readStart: () => 0 };
  handle.onconnection(-24, undefined);
  handle.onconnection(0, unknown);
  handle.onconnection();
  assert.deepEqual(calls, [[handle, -24, undefined], [handle, 0, unknown], [handle]]);
});

test('a server without the handle that is expected stays as it is', () => {
  for (const handle of [null, undefined, {}, { onconnection: 1 }]) {
    const server = { _handle: handle };
    lendReads(server as unknown as Server, true, never);
    assert.deepEqual(server, { _handle: handle });
  }
});
