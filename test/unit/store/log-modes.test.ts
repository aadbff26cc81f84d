// The modes in which an acknowledgement does not wait for the disk: what is on it stays on it, and syncs come in time.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { FakeFiles } from '../../support/fake-files.ts';
import { LoggedMap } from '../../support/log-model.ts';

for (const mode of ['interval', 'off'] as const) {
  test(`${mode}: an old segment goes only after what was moved out of it is on the disk`, () => {
    const before = new LoggedMap(new FakeFiles());
    before.set('key', 'on the disk since last year');
    before.log.commit();
    before.port.settle();
    const files = before.files.afterPowerLoss(() => false);
    const map = new LoggedMap(files, mode);
    assert.deepEqual([...map.values.keys()], ['key']);
    const [old] = files.paths;
    map.log.compact();
    map.port.settle();
    assert.equal(files.paths.includes(old!), false);
    const after = new LoggedMap(files.afterPowerLoss(() => false));
    assert.deepEqual([...after.values.keys()], ['key']);
    for (const { log, port } of [before, map, after]) {
      void log.close();
      port.settle();
    }
  });
}

test('interval: a sync is due also while a group is on its way', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const map = new LoggedMap(new FakeFiles(), 'interval');
    map.set('a', 'first');
    map.log.commit();
    map.port.settle();
    map.set('b', 'second');
    map.log.commit();
    // A busy broker always has one on its way when the time has come.
    mock.timers.tick(1000);
    map.port.settle();
    const after = new LoggedMap(map.files.afterPowerLoss(() => false));
    assert.ok(after.values.has('a'));
    for (const { log, port } of [map, after]) {
      void log.close();
      port.settle();
    }
  } finally {
    mock.timers.reset();
  }
});

test('interval: what a failed sync leaves in doubt is written anew into another segment', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const files = new FakeFiles();
    const map = new LoggedMap(files, 'interval');
    map.set('a', 'first');
    map.log.commit();
    map.port.settle();
    const [doubtful] = files.paths;
    files.before = (operation) => {
      if (operation !== 'syncData') return;
      files.before = () => undefined;
      throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
    };
    mock.timers.tick(1000);
    map.port.settle();
    map.set('b', 'second');
    map.log.commit();
    map.port.settle();
    mock.timers.tick(1000);
    map.port.settle();
    assert.equal(files.paths.includes(doubtful!), false);
    const after = new LoggedMap(files.afterPowerLoss(() => false));
    assert.deepEqual([...after.values.keys()].sort(), ['a', 'b']);
    for (const { log, port } of [map, after]) {
      void log.close();
      port.settle();
    }
  } finally {
    mock.timers.reset();
  }
});
