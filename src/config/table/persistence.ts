// Keeping sessions and retained messages over a restart.
import { bool, folder, int, text } from '../kinds.ts';
import { rows } from './row.ts';

export const PERSISTENCE = rows({
  persistence: {
    kind: bool,
    default: false,
    reload: 'restart',
    refusal: "Saving to disk is not served yet: set 'persistence false' to keep everything in memory.",
    description: 'Keeps sessions, queued and retained messages on disk.',
  },
  persistence_file: {
    kind: text({ syntax: 'name' }),
    default: 'mosquitto.db',
    reload: 'restart',
    description: 'Name of the store. Only of use with persistence.',
  },
  persistence_location: {
    kind: folder,
    default: null,
    reload: 'restart',
    description:
      'Folder of the store; the environment variable MOSQUITTO_PERSISTENCE_LOCATION overrules it. Default: the working directory. Only of use with persistence.',
  },
  autosave_interval: {
    kind: int({ min: 0, max: 2_147_483_647, negative: 0, syntax: 'seconds' }),
    default: 1800,
    reload: 'live',
    description: 'Seconds between two saves; 0 saves at the end only. Only of use with persistence.',
  },
  autosave_on_changes: {
    kind: bool,
    default: false,
    reload: 'live',
    description: 'true: autosave_interval counts changes instead of seconds. Only of use with persistence.',
  },
});
