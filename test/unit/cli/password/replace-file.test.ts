import assert from 'node:assert/strict';
import fs, {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Disk, interruptedChange, realTarget, replaceFile } from '../../../../src/cli/password/replace-file.ts';
import { scratch } from '../../../support/mosquitto.ts';

const OLD = 'ann:1\ntom:2\nbob:3\n';

function fileIn(context: TestContext, content = OLD, mode = 0o600): string {
  const file = path.join(scratch(context), 'f');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

const read = (file: string): string => readFileSync(file, 'utf8');

/** A system error. */
const failing = (code: string): never => {
  throw Object.assign(new Error(code), { code });
};

/** The file system, with some operations replaced. */
const diskWith = (other: Partial<Disk>): Disk => ({ ...fs, ...other });

/** Renames as they are where the file is a mount of its own. */
const mounted = (file: string): Partial<Disk> => ({
  renameSync: (from, to) => (to === file ? failing('EBUSY') : fs.renameSync(from, to)),
});

describe('a file is replaced', () => {
  it('in one step: who has the old one open keeps it whole', (t) => {
    const file = fileIn(t);
    const handle = fs.openSync(file, 'r');
    replaceFile(file, Buffer.from('new\n'), false);
    assert.deepEqual([read(file), readFileSync(handle, 'utf8')], ['new\n', OLD]);
    fs.closeSync(handle);
    assert.deepEqual(readdirSync(path.dirname(file)), ['f']);
  });

  it('owner, group and mode stay', (t) => {
    const file = fileIn(t, OLD, 0o664);
    if (process.getuid?.() === 0) fs.chownSync(file, 1234, 2345);
    const before = statSync(file);
    replaceFile(file, Buffer.from('new\n'), false);
    const after = statSync(file);
    assert.deepEqual([after.uid, after.gid, after.mode], [before.uid, before.gid, before.mode]);
    assert.notEqual(after.ino, before.ino);
  });

  it('as a new one: for its owner only, or its group where that could read it and others could not', (t) => {
    for (const [before, after] of [
      [0o644, 0o600],
      [0o640, 0o640],
      [0o660, 0o660],
      [0o600, 0o600],
    ] as const) {
      const file = fileIn(t, OLD, before);
      replaceFile(file, Buffer.from('new\n'), true);
      assert.equal(statSync(file).mode & 0o777, after, before.toString(8));
      chmodSync(file, before);
      replaceFile(file, Buffer.from('newer\n'), true, diskWith(mounted(file)));
      assert.equal(statSync(file).mode & 0o777, after, `in place: ${before.toString(8)}`);
    }
  });

  it('under all its names', (t) => {
    const file = fileIn(t);
    const other = `${file}.other-name`;
    linkSync(file, other);
    replaceFile(file, Buffer.from('new\n'), false);
    assert.deepEqual([read(file), read(other)], ['new\n', 'new\n']);
    assert.deepEqual(readdirSync(path.dirname(file)), ['f', 'f.other-name']);
  });

  it('where it really is: links stay, also one to a file that is yet to be made', (t) => {
    const file = fileIn(t);
    const folder = path.dirname(file);
    mkdirSync(path.join(folder, 'links'));
    const link = path.join(folder, 'links', 'link');
    symlinkSync('../f', link);
    assert.equal(realTarget(link), fs.realpathSync(file));
    const hanging = path.join(folder, 'hanging');
    symlinkSync('links/yet-to-be', hanging);
    replaceFile(realTarget(hanging), Buffer.from('made\n'), true);
    assert.equal(lstatSync(hanging).isSymbolicLink(), true);
    assert.equal(read(path.join(folder, 'links', 'yet-to-be')), 'made\n');
    // Seen from where the link really is, not from the folder that leads there.
    mkdirSync(path.join(folder, 'links', 'deep'));
    symlinkSync('links/deep', path.join(folder, 'shortcut'));
    symlinkSync('../none', path.join(folder, 'links', 'deep', 'hanging'));
    assert.equal(
      realTarget(path.join(folder, 'shortcut', 'hanging')),
      path.join(fs.realpathSync(folder), 'links', 'none'),
    );
    symlinkSync('round', path.join(folder, 'round'));
    assert.throws(() => realTarget(path.join(folder, 'round')), { code: 'ELOOP' });
  });

  it('what is no plain file is written as it is', () => {
    const before = statSync('/dev/null');
    replaceFile('/dev/null', Buffer.from('x'), true);
    const after = statSync('/dev/null');
    assert.deepEqual([after.ino, after.mode], [before.ino, before.mode]);
  });
});

describe('what goes wrong leaves the old file and nothing else', () => {
  it('no folder, or a folder in its place', (t) => {
    const folder = scratch(t);
    assert.throws(() => replaceFile(path.join(folder, 'none', 'f'), Buffer.from('x'), true), { code: 'ENOENT' });
    assert.throws(() => replaceFile(folder, Buffer.from('x'), true), { code: 'EISDIR' });
    assert.deepEqual(readdirSync(folder), []);
  });

  it('a mount that may only be read', (t) => {
    const file = fileIn(t);
    const openSync: Disk['openSync'] = (name, flags, mode) =>
      flags === 'r+' ? failing('EROFS') : fs.openSync(name, flags, mode);
    const disk = diskWith({ ...mounted(file), openSync });
    assert.throws(() => replaceFile(file, Buffer.from('new\n'), false, disk), { code: 'EROFS' });
    assert.equal(read(file), OLD);
    assert.deepEqual(readdirSync(path.dirname(file)), ['f']);
  });

  it('a disk that is full, a file that is to be written in place included', (t) => {
    for (const inPlace of [false, true]) {
      const file = fileIn(t);
      const growing: Partial<Disk> = {
        writeSync: ((handle: number, bytes: Buffer, start: number, length: number, position: number | null) =>
          position === null
            ? failing('ENOSPC')
            : position >= OLD.length
              ? failing('ENOSPC')
              : fs.writeSync(handle, bytes, start, length, position)) as Disk['writeSync'],
      };
      const other = inPlace ? { ...growing, openSync: refusesNew } : growing;
      assert.throws(() => replaceFile(file, Buffer.from(OLD.repeat(9)), false, diskWith(other)), { code: 'ENOSPC' });
      assert.equal(read(file), OLD);
      assert.deepEqual(readdirSync(path.dirname(file)), ['f']);
    }
  });
});

/** Opens as it is in a folder that one may not write. */
const refusesNew: Disk['openSync'] = (file, flags, mode) =>
  flags === 'wx' ? failing('EACCES') : fs.openSync(file, flags, mode);

describe('in place', () => {
  const ways: readonly [string, (file: string) => Partial<Disk>][] = [
    ['a file that is a mount', mounted],
    ['a folder that takes no files', () => ({ openSync: refusesNew })],
    ['an owner that can not be kept', () => ({ fchownSync: () => failing('EPERM') })],
  ];
  for (const [what, other] of ways) {
    for (const content of ['short\n', `${OLD}longer:than\nit:was\n`, 'no end']) {
      it(`${what}: ${JSON.stringify(content)}`, (t) => {
        const file = fileIn(t);
        const { ino } = statSync(file);
        replaceFile(file, Buffer.from(content), false, diskWith(other(file)));
        assert.deepEqual([read(file), statSync(file).ino], [content, ino]);
        assert.deepEqual(readdirSync(path.dirname(file)), ['f']);
      });
    }
  }
});

/** Thrown where the process is killed: nothing that comes after it has any effect. */
class Killed extends Error {}

/** A file system that lives for so many operations; `steps` counts them. */
function mortalDisk(other: Partial<Disk>, life: number): { disk: Disk; steps(): number } {
  let steps = 0;
  const disk = new Proxy(diskWith(other), {
    get:
      (target, name: keyof Disk) =>
      (...args: never[]) => {
        steps += 1;
        if (steps > life) throw new Killed();
        return (target[name] as (...args: never[]) => unknown)(...args);
      },
  });
  return { disk, steps: () => steps };
}

describe('killed at any step, the file is the old or the new one', () => {
  const ways: readonly [string, (file: string) => Partial<Disk>][] = [
    ['renamed', () => ({})],
    ['a mount', mounted],
    ['a folder that takes no files', () => ({ openSync: refusesNew })],
  ];
  for (const [what, other] of ways) {
    for (const content of ['short:1\n', `${OLD}longer:4\n`]) {
      it(`${what}: ${JSON.stringify(content)}`, (t) => {
        for (let life = 0; ; life++) {
          const file = fileIn(t);
          const { disk, steps } = mortalDisk(other(file), life);
          try {
            replaceFile(file, Buffer.from(content), false, disk);
          } catch (error) {
            assert.ok(error instanceof Killed, String(error));
          }
          // Blank lines at the end say nothing.
          const now = read(file).replace(/\n*$/, '\n');
          assert.ok(now === OLD || now === content, `after ${life} steps: ${JSON.stringify(now)}`);
          if (steps() > life) continue;
          assert.equal(read(file), content);
          assert.ok(life > 4, 'it takes some steps');
          break;
        }
      });
    }
  }
});

describe('what a killed process left', () => {
  it('its temporary file goes after a minute', (t) => {
    const file = fileIn(t);
    const folder = path.dirname(file);
    for (const name of ['.f.0123456789ab', '.f.ba9876543210', '.f.mine', '.g.0123456789ab']) {
      writeFileSync(path.join(folder, name), 'x');
      if (name !== '.f.ba9876543210') utimesSync(path.join(folder, name), 1, 1);
    }
    assert.equal(interruptedChange(file), null);
    assert.deepEqual(readdirSync(folder), ['.f.ba9876543210', '.f.mine', '.g.0123456789ab', 'f']);
  });

  it('what was to be written in place is kept if it was not, under another name', (t) => {
    const file = fileIn(t);
    const whole = path.join(path.dirname(file), '.f.unfinished');
    writeFileSync(whole, OLD);
    assert.equal(interruptedChange(file), null);
    assert.equal(existsSync(whole), false);
    writeFileSync(whole, 'new\n');
    assert.equal(interruptedChange(file), `${file}.interrupted`);
    assert.deepEqual([read(`${file}.interrupted`), read(file), existsSync(whole)], ['new\n', OLD, false]);
    assert.equal(interruptedChange(file), null);
  });
});
