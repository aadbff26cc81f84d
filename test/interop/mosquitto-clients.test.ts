// Debian's mosquitto_pub, mosquitto_sub and mosquitto_rr with mqtt-broker.
import { without } from '../support/process.ts';
import { playScenarios } from './scenarios.ts';

playScenarios('mosquitto', 'mqtt-broker', without('mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr'));
