// A process that takes locks for tests: of a folder, as close to a given time as it can.
import process from 'node:process';
import { lockStore } from '../../src/broker/store/lock.ts';

process.on('message', ({ folder, at }: { folder: string; at: number }) => {
  while (Date.now() < at);
  try {
    lockStore(folder);
    process.send?.('locked');
  } catch {
    process.send?.('refused');
  }
});
process.send?.('ready');
