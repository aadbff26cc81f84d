// All scenarios over TCP.
import { playAll } from './play-all.ts';

playAll('tcp');
