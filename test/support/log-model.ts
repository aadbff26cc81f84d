// A small owner of a log, to test the log by: a map of keys and values, with a snapshot of it at the end of each group.
import { Log, type LogStart, type SyncMode } from '../../src/broker/store/log.ts';
import { type Recovered, readLog } from '../../src/broker/store/recover.ts';
import { RecordReader } from '../../src/broker/store/segment.ts';
import type { FakeFiles } from './fake-files.ts';
import { LocalPort } from './local-port.ts';

export const FOLDER = '/store';
export const SALT = 0xfeedbeef;
const SET = 1;
const DELETE = 2;
const HEAD = 16;

interface Value {
  readonly text: string;
  /** Where its newest record lies. */
  segment: number;
  size: number;
}

/** A map that is kept in a log. */
export class LoggedMap {
  readonly files: FakeFiles;
  readonly port: LocalPort;
  readonly log: Log;
  readonly found: Recovered;
  readonly values: Map<string, Value>;
  /** What the map held at the end of each group. */
  readonly snapshots: Map<number, string>;
  readonly troubles: string[] = [];
  isFailing = false;

  constructor(files: FakeFiles, mode: SyncMode = 'always') {
    this.files = files;
    this.values = new Map();
    this.snapshots = new Map();
    this.found = readLog(FOLDER, files, (type, bytes, start, end, segment) => {
      const reader = new RecordReader(bytes, start, end);
      const key = reader.text();
      if (type === SET) this.values.set(key, { text: reader.text(), segment, size: end - start + HEAD });
      else this.values.delete(key);
    });
    const start: LogStart = { ...this.found, salt: this.found.salt ?? SALT };
    this.port = new LocalPort(FOLDER, start.salt, files);
    this.log = new Log(
      start,
      this.port,
      {
        failing: () => {
          this.isFailing = true;
        },
        working: () => {
          this.isFailing = false;
        },
        congested: () => undefined,
        trouble: (what, error) => this.troubles.push(`${what}: ${error}`),
        move: (_type, bytes, at, segment) => {
          const key = new RecordReader(bytes, at + HEAD, bytes.length).text();
          const value = this.values.get(key);
          if (value !== undefined && value.segment <= segment) this.write(key, value.text);
        },
      },
      mode,
      1000,
      { segment: 20_000, slack: 30_000, cleaned: 4000 },
    );
    for (const { size } of this.values.values()) this.log.liveBytes += size;
    this.snapshots.set(this.found.lastGroup, this.shown);
  }

  get shown(): string {
    return JSON.stringify([...this.values].map(([key, { text }]) => [key, text]).sort());
  }

  set(key: string, text: string): void {
    this.write(key, text);
    this.snapshots.set(this.log.openGroup, this.shown);
  }

  remove(key: string): void {
    const value = this.values.get(key);
    if (value === undefined) return;
    this.log.liveBytes -= value.size;
    this.values.delete(key);
    const { records } = this.log;
    records.begin(DELETE);
    records.text(key);
    records.end();
    this.snapshots.set(this.log.openGroup, this.shown);
  }

  private write(key: string, text: string): void {
    const { records } = this.log;
    records.begin(SET);
    records.text(key);
    records.text(text);
    const size = records.end();
    this.log.liveBytes += size - (this.values.get(key)?.size ?? 0);
    this.values.set(key, { text, segment: this.log.openSegment, size });
    this.snapshots.set(this.log.openGroup, this.shown);
  }

  /** What the map held when a group ended: that of the last group before it that changed something. */
  stateAt(group: number): string {
    for (let at = group; ; at--) {
      const state = this.snapshots.get(at);
      if (state !== undefined) return state;
      if (at < 0) throw new Error(`nothing is known of group ${group}`);
    }
  }
}
