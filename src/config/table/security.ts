// Who may connect and what they may do: global options, or a listener's with per_listener_settings.
import { bool, file, text, Unfit } from '../kinds.ts';
import { rows } from './row.ts';

const LONGEST_PREFIX = 50;

/** A generated client id is the prefix and a UUID; the whole must stay short. */
export function prefixFault(value: string): Unfit | null {
  if (Buffer.byteLength(value) <= LONGEST_PREFIX) return null;
  return new Unfit(null, (name) => `Error: ${name} length must be <= ${LONGEST_PREFIX}.`);
}

export const SECURITY = rows({
  allow_anonymous: {
    kind: bool,
    default: null,
    reload: 'live',
    description:
      'Whether clients may connect without a user name. Default: false; true if no listener is configured, for then only this machine can connect.',
  },
  password_file: {
    kind: file,
    default: null,
    reload: 'live',
    description: 'File with user names and hashed passwords, as mqtt-passwd(1) writes it. Read again on reload.',
  },
  acl_file: {
    kind: file,
    default: null,
    reload: 'live',
    description: 'File that says who may read and write which topics; see ACL FILE. Read again on reload.',
  },
  psk_file: {
    kind: file,
    default: null,
    reload: 'live',
    refusal: 'TLS with pre-shared keys is not served yet; use certificates.',
    description: 'File with identities and their pre-shared keys.',
  },
  allow_zero_length_clientid: {
    kind: bool,
    default: true,
    reload: 'live',
    description: 'Whether a client may leave the choice of its client id to the broker.',
  },
  auto_id_prefix: {
    kind: text({ syntax: 'prefix', judge: prefixFault }),
    default: 'auto-',
    reload: 'live',
    deprecated: "Please use 'listener_auto_id_prefix' instead.",
    description: 'Start of the client ids that the broker makes up, 50 bytes at most.',
  },
  auth_plugin_deny_special_chars: {
    kind: bool,
    default: true,
    reload: 'restart',
    refusal: 'Names with + and # are always kept from plugins; remove the line.',
    description: 'Keeps names that contain + or # from plugins that judge topics.',
  },
});
