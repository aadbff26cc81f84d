// Gives up root's rights once everything that needs them is open (mosquitto.conf user).
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { EXIT_ERROR, UsageError } from './messages.ts';

/** Changes to a user of the system, if this is root; does nothing for others. Throws UsageError if there is no such user. */
export function dropPrivileges(user: string): void {
  if (process.getuid?.() !== 0 || user === 'root') return;
  const entry = passwdEntry(user);
  if (entry === null) {
    throw new UsageError(
      `Invalid user '${user}'.\nThe option user names nobody of this system.`,
      'nothing',
      EXIT_ERROR,
    );
  }
  process.initgroups?.(user, entry.gid);
  process.setgid?.(entry.gid);
  process.setuid?.(entry.uid);
}

/** User and group id of a user; Node has no call for it. */
function passwdEntry(user: string): { uid: number; gid: number } | null {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === user) return { uid: Number(uid), gid: Number(gid) };
  }
  return null;
}
