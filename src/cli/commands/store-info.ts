// mqtt-broker --store-info: what is in the store and how it is, for people.
import { readConfiguredStore } from '../../broker/store-tools/configured.ts';
import type { StoredState } from '../../broker/store-tools/read-store.ts';
import { type Amount, type SessionLoad, type StoreSummary, summarize } from '../../broker/store-tools/summary.ts';
import type { Config } from '../../config/config.ts';
import { printable } from '../../util/printable.ts';
import type { Io } from '../io.ts';
import { printLines } from './print-lines.ts';
import { clockTime, counted, grouped, lossLines, span, stretch } from './store-words.ts';

/** Sessions in the list of those that most waits for. */
const MOST_SESSIONS = 10;
/** Columns of the labels and of client ids and topics, so that all of it fits a terminal. */
const LABEL = 17;
const NAME = 24;
const TOPIC = 22;

/** Prints what there is to know; resolves to the exit code. Throws ConfigError or UsageError. */
export async function printStoreInfo(config: Config, io: Io): Promise<number> {
  const stored = readConfiguredStore(config);
  const summary = summarize(stored.state, MOST_SESSIONS);
  const now = Date.now();
  const sections = [
    placeLines(config, stored),
    sessionLines(summary, stored, now),
    amountLines(summary, now),
    busiestLines(summary),
    engineLines(summary, stored),
  ];
  const filled = sections.filter((lines) => lines.length > 0);
  return printLines(
    filled.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines])),
    io,
  );
}

const labelled = (label: string, text: string): string => `${label.padEnd(LABEL)}${text}`;

/** Names are others' text: nothing of them may control a terminal, and the columns stay in place. */
function shortened(name: string, width = NAME): string {
  const text = printable(name);
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function placeLines({ global }: Config, { folder, files, holder }: StoredState): string[] {
  const { persistenceSync, persistenceSyncInterval } = global;
  const interval = persistenceSync === 'interval' ? `, every ${persistenceSyncInterval} ms` : '';
  return [
    labelled('Store', folder),
    labelled('Format', String(files.format)),
    labelled('Sync', `${persistenceSync}${interval}`),
    labelled('In use by', holder === 0 ? 'nobody' : `process ${holder}`),
  ];
}

function sessionLines(summary: StoreSummary, { holder }: StoredState, now: number): string[] {
  const { sessions, expiring, connected, willsOnly, longestAway, subscriptions } = summary;
  const connection = holder === 0 ? 'connected at the end' : 'connected';
  const lines = [
    labelled(
      'Sessions',
      `${grouped(sessions)}, ${grouped(expiring)} with an expiry, ${grouped(connected)} ${connection}`,
    ),
  ];
  if (longestAway !== null) {
    const { clientId, awaySince } = longestAway;
    lines.push(labelled('Longest away', `${shortened(clientId)}, ${since(awaySince, now)}`));
  }
  lines.push(labelled('Subscriptions', grouped(subscriptions)));
  if (willsOnly > 0)
    lines.push(labelled('Wills besides', `of ${counted(willsOnly, 'client')} without a session to keep`));
  return lines;
}

const since = (time: number, now: number): string => `since ${clockTime(time)} (${span(now - time)})`;

function amountLines({ waiting, inFlight, retained, messages, oldest }: StoreSummary, now: number): string[] {
  const row = (label: string, { count, bytes }: Amount): string =>
    labelled(label, `${grouped(count).padStart(13)}${grouped(bytes).padStart(18)}`);
  const lines = [
    labelled('', `${'Count'.padStart(13)}${'Bytes'.padStart(18)}`),
    row('Queued', waiting),
    row('In flight', inFlight),
    row('Retained', retained),
    row('Messages in all', messages),
  ];
  if (oldest === null) return lines;
  return [...lines, labelled('Oldest queued', `${since(oldest.storedAt, now)}, ${shortened(oldest.topic, TOPIC)}`)];
}

function busiestLines({ busiest }: StoreSummary): string[] {
  if (busiest.length === 0) return [];
  const row = (name: string, waiting: string, inFlight: string, bytes: string, away: string): string =>
    `${name.padEnd(NAME)}${waiting.padStart(10)}${inFlight.padStart(11)}${bytes.padStart(13)}  ${away}`;
  return [
    row('Most waits for', 'Queued', 'In flight', 'Bytes', 'Away since'),
    ...busiest.map(({ clientId, waiting, inFlight, bytes, awaySince }: SessionLoad) =>
      row(
        shortened(clientId),
        grouped(waiting),
        grouped(inFlight),
        grouped(bytes),
        awaySince === 0 ? '-' : clockTime(awaySince),
      ),
    ),
  ];
}

function engineLines({ liveBytes }: StoreSummary, stored: StoredState): string[] {
  const { segments, bytes, lastGroup, unfinished } = stored.files;
  const losses = lossLines(stored);
  return [
    labelled('Segments', grouped(segments)),
    labelled('Bytes on disk', grouped(bytes)),
    // The broker reckons with what a record costs at most.
    labelled('Bytes alive', `${grouped(Math.min(liveBytes, bytes))}, roughly`),
    labelled('Last group', grouped(lastGroup)),
    labelled('Unfinished end', unfinished === null ? 'none' : stretch(unfinished)),
    labelled('Damage', losses.length === 0 ? 'none' : 'see below'),
    ...losses,
  ];
}
