// The plainest CONNECT, for tests of what is shown of packets.
import type { ConnectPacket } from '../../src/protocol/packets.ts';
import type { Profile } from '../../src/protocol/version.ts';

/** CONNECT of the client 'me' with a clean start, and nothing else. */
export const connectPacket = (profile: Profile): ConnectPacket => ({
  type: 1,
  profile,
  bridge: false,
  clientId: 'me',
  cleanStart: true,
  keepAlive: 60,
  username: null,
  password: null,
  will: null,
  properties: {},
});
