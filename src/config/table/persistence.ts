// Keeping sessions and messages over a restart.
import { bool, folder, int, oneOf, text, Unfit } from '../kinds.ts';
import { rows } from './row.ts';

const LONGEST_INTERVAL_MS = 60_000;

/** The name becomes part of a path: it must not lead out of its folder. */
function fileNameFault(name: string): Unfit | null {
  if (!name.includes('/') && name !== '.' && name !== '..') return null;
  return new Unfit('It must be a name without a folder; persistence_location names the folder.');
}

export const PERSISTENCE = rows({
  persistence: {
    kind: bool,
    default: false,
    reload: 'restart',
    description:
      'true: sessions, their subscriptions and messages, retained messages and wills are kept on disk, and a message of QoS 1 or 2 is acknowledged when it is safe there; see WHAT PERSISTENCE PROMISES. false: they are in memory only and gone when the broker ends.',
  },
  persistence_file: {
    kind: text({ syntax: 'name', judge: fileNameFault }),
    default: 'mosquitto.db',
    reload: 'restart',
    description:
      "What the store is called: its folder has this name with .store in the place of .db. The file itself would be Mosquitto's database, which is neither read nor changed.",
  },
  persistence_location: {
    kind: folder,
    default: null,
    reload: 'restart',
    description:
      'Folder in which the folder of the store lies; it must be there, and the user that the broker runs as must be able to write to it. The environment variable MOSQUITTO_PERSISTENCE_LOCATION overrules it. Default: the working directory.',
  },
  persistence_sync: {
    kind: oneOf(['always', 'interval', 'off']),
    default: 'always',
    reload: 'restart',
    description:
      'When what was written to the store is forced to the disk: always, before anything of it is acknowledged; interval, every persistence_sync_interval; off, when the operating system sees fit. A broker that is killed loses nothing in any of them, a machine that loses power what was not forced. An option of mqtt-broker only.',
  },
  persistence_sync_interval: {
    kind: int({ min: 1, max: LONGEST_INTERVAL_MS, syntax: 'milliseconds' }),
    default: 1000,
    reload: 'restart',
    description: 'Milliseconds between two syncs with persistence_sync interval. An option of mqtt-broker only.',
  },
  persistence_on_corruption: {
    kind: oneOf(['recover', 'refuse']),
    default: 'recover',
    reload: 'restart',
    description:
      'What a start does with a store that is damaged. recover: what is whole is kept, damaged files are copied aside, and the log says what was lost. refuse: the broker ends and leaves every file as it is. An option of mqtt-broker only.',
  },
  autosave_interval: {
    kind: int({ min: 0, max: 2_147_483_647, negative: 0, syntax: 'seconds' }),
    default: 1800,
    reload: 'live',
    description:
      'Accepted and no longer needed: the store is written all the time, not saved now and then. persistence_sync says when it reaches the disk.',
  },
  autosave_on_changes: {
    kind: bool,
    default: false,
    reload: 'live',
    description: 'Accepted and no longer needed, as autosave_interval.',
  },
});
