// Scenario files: cases of header lines and steps.
//
//   case: what is shown, with the clauses it obeys [MQTT-x.y.z-n]
//   versions: 4 5                  once for each; all three without this line
//   config: max_inflight_messages 1     a line of mosquitto.conf; may come again, as may `acl:`
//   acl: topic read t/#            a line of the acl_file
//   plugin: NAME                   one of wire-plugins.ts
//   A > PUBLISH q1 id=1 t "hello"  client A sends (and connects, if it has not)
//   [5] A < PUBACK id=1 rc=0x10    client A receives exactly these bytes; the line counts for version 5 only
//
// run-wire.ts says what else may stand behind a client's name. A line that begins with # is a comment.
import { readFileSync } from 'node:fs';
import type { Version } from './wire-encode.ts';
import { type Word, wordsOf } from './wire-text.ts';

/** A line to be carried out. */
export interface Step {
  readonly line: number;
  readonly text: string;
  /** The versions that it counts for. */
  readonly versions: readonly Version[];
  /** A client's letter, or 'clock', 'broker' or 'disk'. */
  readonly actor: string;
  /** For example '>', '<', 'joins'. */
  readonly verb: string;
  readonly words: readonly Word[];
}

/** One scenario. */
export interface Case {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly versions: readonly Version[];
  readonly config: readonly string[];
  readonly acl: readonly string[];
  readonly plugins: readonly string[];
  readonly steps: readonly Step[];
}

const ALL: readonly Version[] = [3, 4, 5];

/** Reads the cases of a file; throws a sentence with file and line. */
export function readCases(file: string): Case[] {
  const cases: Case[] = [];
  let draft: Draft | null = null;
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((row, index) => {
      const text = row.trim();
      if (text === '' || text.startsWith('#')) return;
      try {
        if (text.startsWith('case:')) {
          if (draft !== null) cases.push(draft.finish());
          draft = new Draft(file, index + 1, text.slice(5).trim());
        } else if (draft === null) throw new Error('a step stands in front of the first case');
        else draft.take(text, index + 1);
      } catch (error) {
        throw new Error(`${file}:${index + 1}: ${(error as Error).message}`);
      }
    });
  if (draft !== null) cases.push((draft as Draft).finish());
  return cases;
}

class Draft {
  private readonly file: string;
  private readonly line: number;
  private readonly name: string;
  private versions: readonly Version[] = ALL;
  private readonly config: string[] = [];
  private readonly acl: string[] = [];
  private readonly plugins: string[] = [];
  private readonly steps: Step[] = [];

  constructor(file: string, line: number, name: string) {
    this.file = file;
    this.line = line;
    this.name = name;
  }

  take(text: string, line: number): void {
    const header = /^(versions|config|acl|plugin): *(.*)$/.exec(text);
    if (header === null) {
      this.steps.push(stepOf(text, line, this.versions));
      return;
    }
    if (this.steps.length > 0) throw new Error('this line belongs above the steps');
    const [, key = '', value = ''] = header;
    if (key === 'versions') this.versions = versionsOf(value);
    else if (key === 'config') this.config.push(value);
    else if (key === 'acl') this.acl.push(value);
    else this.plugins.push(value);
  }

  finish(): Case {
    const { file, line, name, versions, config, acl, plugins, steps } = this;
    if (steps.length === 0) throw new Error(`the case in line ${line} has no steps`);
    return { file, line, name, versions, config, acl, plugins, steps };
  }
}

function stepOf(row: string, line: number, versions: readonly Version[]): Step {
  const [, restriction, text = ''] = /^(?:\[([345 ]+)\] *)?(.*)$/.exec(row) ?? [];
  const [actor, verb, ...words] = wordsOf(text);
  if (actor === undefined || verb === undefined) throw new Error('a step has an actor and a verb');
  return {
    line,
    text: row,
    versions: restriction === undefined ? versions : versionsOf(restriction),
    actor: actor.value.toString(),
    verb: verb.value.toString(),
    words,
  };
}

function versionsOf(text: string): Version[] {
  return text
    .trim()
    .split(/ +/)
    .map((word) => {
      const version = ALL.find((known) => String(known) === word);
      if (version === undefined) throw new Error(`'${word}' is no version: 3, 4 or 5`);
      return version;
    });
}
