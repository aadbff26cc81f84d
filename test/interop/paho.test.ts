// The Paho Python client with mqtt-broker.
import { playLibrary } from './library-play.ts';
import { noPaho, startPaho } from './paho-player.ts';

playLibrary('Paho for Python', startPaho, 'mqtt-broker', [3, 4, 5], noPaho);
