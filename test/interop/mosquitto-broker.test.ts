// mqtt-pub, mqtt-sub and mqtt-rr with Debian's mosquitto.
import { without } from '../support/process.ts';
import { playScenarios } from './scenarios.ts';

playScenarios('mqtt-suite', 'mosquitto', without('mosquitto'));
