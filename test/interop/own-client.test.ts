// The project's client library with Debian's mosquitto, and with the project's own broker.
import { without } from '../support/process.ts';
import { playLibrary } from './library-play.ts';
import { ownMaker } from './own-player.ts';

playLibrary('the client of mqtt-suite', () => ownMaker, 'mosquitto', [3, 4, 5], without('mosquitto'));
playLibrary('the client of mqtt-suite', () => ownMaker, 'mqtt-broker', [3, 4, 5], false);
