// Plugins: known, not served yet.
import { text } from '../kinds.ts';
import { rows } from './row.ts';

const REFUSAL = 'Plugins are not served yet; use password_file and acl_file.';
const path = text({ syntax: 'path' });

export const PLUGIN = rows({
  plugin: {
    kind: path,
    default: null,
    reload: 'restart',
    aliases: ['auth_plugin'],
    refusal: REFUSAL,
    description: 'Loads a plugin for the listener above, or for all.',
  },
  global_plugin: {
    kind: path,
    default: null,
    reload: 'restart',
    refusal: REFUSAL,
    description: 'Loads a plugin for all listeners.',
  },
  plugin_load: {
    kind: text({ syntax: 'name path' }),
    default: null,
    reload: 'restart',
    refusal: REFUSAL,
    description: 'Loads a plugin under a name.',
  },
  plugin_use: {
    kind: text({ syntax: 'name' }),
    default: null,
    reload: 'restart',
    refusal: REFUSAL,
    description: 'Has a loaded plugin serve the listener above.',
  },
  'plugin_opt_*': {
    kind: text({ syntax: 'value' }),
    default: null,
    reload: 'restart',
    aliases: ['auth_opt_*'],
    refusal: REFUSAL,
    description: 'Option of the plugin above.',
  },
});
