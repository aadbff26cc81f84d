import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConfigDiff, diffConfigs, restartNotice } from '../../../src/config/reload.ts';
import { load } from './config-files.ts';

function diff(before: string, after: string): ConfigDiff {
  return diffConfigs(load(before).config, load(after).config);
}

describe('diffConfigs', () => {
  it('finds listeners that came and went', () => {
    const { added, removed, kept } = diff('listener 1\nlistener 2\n', 'listener 2\nlistener 0 /s\n');
    assert.deepEqual(
      [added, removed, kept.map(({ after }) => after)].map((list) => list.map(({ port, path }) => path ?? port)),
      [['/s'], [1], [2]],
    );
  });

  it('opens a socket anew for another protocol and for TLS on or off only', () => {
    const reopens = (before: string, after: string): boolean | undefined =>
      diff(`listener 1\n${before}`, `listener 1\n${after}`).kept[0]?.reopen;
    assert.equal(reopens('', 'protocol websockets\n'), true);
    assert.equal(reopens('', 'certfile c\nkeyfile k\n'), true);
    assert.equal(reopens('certfile c\nkeyfile k\n', 'certfile d\nkeyfile k\n'), false);
    assert.equal(reopens('', 'max_connections 5\n'), false);
  });

  it('shows a changed security option at every listener that it counts for', () => {
    const { changes, kept } = diff('listener 1\nacl_file a\n', 'listener 1\nacl_file b\n');
    assert.deepEqual(
      [changes, kept[0]?.changes ?? []].map((list) => list.map(({ option }) => option.name)),
      [['acl_file'], ['acl_file']],
    );
  });

  it('names the place of a change that waits', () => {
    const [change] = diff('pid_file a\n', '\npid_file b\n').changes;
    assert.ok(change !== undefined);
    assert.match(
      restartNotice(change) ?? '',
      /^Warning: The change of pid_file at .*m\.conf:2 takes effect when the broker is started again\.$/,
    );
    const [gone] = diff('pid_file a\n', '').changes;
    assert.ok(gone !== undefined);
    assert.equal(restartNotice(gone), 'Warning: The change of pid_file takes effect when the broker is started again.');
  });
});
