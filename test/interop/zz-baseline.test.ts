import { without } from '../support/process.ts';
import { playScenarios } from './scenarios.ts';

playScenarios('mosquitto', 'mosquitto', without('mosquitto'));
