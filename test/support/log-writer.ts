// Writes groups of two records into the log of a folder, numbered on from what is there, and reports each that is durable.
// Run by a test that kills it.
import process from 'node:process';
import { openLog } from '../../src/broker/store/open-log.ts';
import { RecordReader } from '../../src/broker/store/segment.ts';
import { QUIET } from './quiet-log.ts';

let last = 0;
const { log } = openLog(
  {
    folder: process.argv[2]!,
    mode: 'always',
    intervalMs: 0,
    refusesDamage: true,
    onLost: (error) => {
      throw error;
    },
  },
  (_type, bytes, start, end) => {
    last = Number(new RecordReader(bytes, start, end).text().split(' ')[0]);
  },
  QUIET,
);

function writeNext(): void {
  last += 1;
  const number = last;
  for (const half of ['a', 'b']) {
    log.records.begin(1);
    log.records.text(`${number} ${half}`);
    log.records.end();
  }
  log.whenDurable(() => {
    process.send?.(number);
    writeNext();
  });
  log.commit();
}

writeNext();
