import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressGroup } from '../../../src/broker/plugins/address-group.ts';
import { FairQueue } from '../../../src/broker/plugins/fair-queue.ts';

/** Everything that waits, in the order of its turns. */
function drain(queue: FairQueue<string>): string[] {
  const items: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
}

test('groups take turns, and the members within them', () => {
  const queue = new FairQueue<string>(100);
  for (const item of ['1', '2', '3', '4']) queue.push('A', 'x', `Ax${item}`);
  queue.push('A', 'y', 'Ay1');
  queue.push('B', 'x', 'Bx1');
  queue.push('B', 'x', 'Bx2');
  assert.equal(queue.length, 7);
  assert.deepEqual(drain(queue), ['Ax1', 'Bx1', 'Ay1', 'Bx2', 'Ax2', 'Ax3', 'Ax4']);
  assert.equal(queue.length, 0);
});

test('a group that comes back does not jump the line', () => {
  const queue = new FairQueue<string>(100);
  queue.push('A', 'x', 'A1');
  queue.push('B', 'x', 'B1');
  assert.equal(queue.shift(), 'A1');
  queue.push('A', 'x', 'A2');
  assert.deepEqual(drain(queue), ['B1', 'A2']);
});

test('when the line is full, the newest of the longest group and member gives way', () => {
  const queue = new FairQueue<string>(4);
  for (const item of ['1', '2', '3']) assert.equal(queue.push('A', 'flood', `A${item}`), null);
  assert.equal(queue.push('A', 'tom', 'tom'), null);
  assert.equal(queue.push('B', 'x', 'B1'), 'A3');
  assert.equal(queue.push('C', 'x', 'C1'), 'A2');
  assert.equal(queue.length, 4);
  assert.equal(queue.push('A', 'flood', 'A4'), 'A4');
  assert.deepEqual(drain(queue), ['A1', 'B1', 'C1', 'tom']);
});

test('where nobody has more than the newcomer, the newcomer gives way', () => {
  const queue = new FairQueue<string>(2);
  queue.push('A', 'x', 'A1');
  queue.push('B', 'x', 'B1');
  assert.equal(queue.push('C', 'x', 'C1'), 'C1');
  assert.deepEqual(drain(queue), ['A1', 'B1']);
  assert.equal(new FairQueue<string>(0).push('A', 'x', 'A1'), 'A1');
});

const places: [address: string, group: string][] = [
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.0.0.7', '10.0.0.7'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0DB8:0000:0000:ffff::9', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['/run/broker.sock', '/run/broker.sock'],
  ['', ''],
];
for (const [address, group] of places) {
  test(`${address || 'no address'} takes turns as ${group || 'itself'}`, () =>
    assert.equal(addressGroup(address), group));
}
