import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePublishProperties } from '../../../src/protocol/publish.ts';

test('properties that could not be encoded leave nothing behind for the next message', () => {
  assert.throws(() => encodePublishProperties({ contentType: 'a', responseTopic: 'x'.repeat(70_000) }), RangeError);
  assert.deepEqual(encodePublishProperties({ contentType: 'b' }), {
    bytes: Buffer.from('03000162', 'hex'),
    expiryAt: -1,
  });
});
