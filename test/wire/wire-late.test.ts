// All scenarios through memory with plugins that answer late and chunks cut anywhere.
import { playAll } from './play-all.ts';

playAll('late');
