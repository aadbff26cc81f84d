// All scenarios through memory.
import { playAll } from './play-all.ts';

playAll('memory');
