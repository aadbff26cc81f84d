// All scenarios through memory, and what tshark reads in all that the broker sent meanwhile.
import { playAll } from './play-all.ts';
import { Capture } from './wire-capture.ts';

const capture = new Capture();
playAll('memory', (version) => capture.tap(version));
capture.judgeAll();
