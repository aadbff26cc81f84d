// Looks at the records of a log one by one, whether they still count or not.
import assert from 'node:assert/strict';
import { ENTRIES, MESSAGE, readEntry, readMessage, readSession, SESSION } from '../../src/broker/store/records.ts';
import {
  endOf,
  HEAD_LENGTH,
  parseSegmentName,
  RecordReader,
  stretchesOf,
  typeOf,
} from '../../src/broker/store/segment.ts';
import type { FakeFiles } from './fake-files.ts';

/** Numbers of messages and sessions, and of entries within a session, stand for one and the same thing in all of the log. */
export function assertNumbersAreUnique(files: FakeFiles): void {
  const known = new Map<string, string>();
  const note = (what: string, is: string) => {
    assert.equal(known.get(what) ?? is, is, `${what} stands for two things`);
    known.set(what, is);
  };
  const entries = (from: RecordReader, message: number) => {
    while (!from.isAtEnd) {
      const what = `entry ${from.u32()}.${from.f64()}`;
      const { flags, extra } = readEntry(from);
      note(what, `${message} ${flags} ${extra.toString('hex')}`);
    }
  };
  for (const path of files.paths) {
    const bytes = files.read(path);
    const { salt } = parseSegmentName(path.slice(path.lastIndexOf('/') + 1))!;
    for (const at of stretchesOf(bytes, salt).flatMap(({ records }) => records)) {
      const from = new RecordReader(bytes, at + HEAD_LENGTH, endOf(bytes, at));
      if (typeOf(bytes, at) === SESSION) note(`session ${from.u32()}`, readSession(from).clientId);
      else if (typeOf(bytes, at) === ENTRIES) entries(from, from.f64());
      else if (typeOf(bytes, at) === MESSAGE) {
        const number = from.f64();
        const { topic, payload } = readMessage(from);
        note(`message ${number}`, `${topic} ${payload.buffer.toString('latin1', payload.start, payload.end)}`);
        entries(from, number);
      }
    }
  }
}
