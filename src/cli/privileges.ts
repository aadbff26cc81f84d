// Gives up root's rights once everything that needs them is open (mosquitto.conf user). Node has no call that looks users
// up, so the system's files are read.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { EXIT_ERROR, UsageError } from './messages.ts';

/** Whom to become. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** All groups of the user. */
  readonly groups: readonly number[];
}

/** The identity to change to; null where there is nothing to change. Throws UsageError if there is no such user. */
export function identityOf(user: string | null): Identity | null {
  if (user === null || user === 'root' || process.getuid?.() !== 0) return null;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === user) return { uid: Number(uid), gid: Number(gid), groups: [Number(gid), ...groupsOf(user)] };
  }
  const sentence = `Unable to drop privileges to '${user}' because this user does not exist.`;
  throw new UsageError(sentence, 'nothing', EXIT_ERROR);
}

function groupsOf(user: string): number[] {
  return readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, , , members]) => members?.split(',').includes(user) === true)
    .map(([, , gid]) => Number(gid));
}

/** Changes to an identity, for good. */
export function become({ uid, gid, groups }: Identity): void {
  process.setgroups?.(groups);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
