// All scenarios of a broker without a store, with one: clients notice nothing but answers that come a little later.
import { playAll } from './play-all.ts';

playAll('stored');
