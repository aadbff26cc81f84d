// The option -D COMMAND NAME VALUE, derived from the property table: which property fits which packet, and its values.
import { CONNECT, DISCONNECT, MAX_STRING, PUBLISH, SUBSCRIBE, UNSUBSCRIBE } from '../protocol/constants.ts';
import { PROPERTIES, type Properties, type PropertyRow, WILL } from '../protocol/properties.ts';
import type { Kind } from './kinds.ts';
import { maskAll } from './masks.ts';
import { UsageError, withNearest } from './messages.ts';
import { bytesOf } from './raw-arguments.ts';

/** Packets that -D knows. */
const COMMANDS = {
  connect: CONNECT,
  publish: PUBLISH,
  subscribe: SUBSCRIBE,
  unsubscribe: UNSUBSCRIBE,
  disconnect: DISCONNECT,
  will: WILL,
} as const;

/** A packet that -D sets properties of. */
export type PropertyCommand = keyof typeof COMMANDS;

/** One -D. */
export interface PropertyArgument {
  readonly command: PropertyCommand;
  readonly row: PropertyRow;
  readonly value: number | string | Buffer | readonly [string, string];
}

/** Rows of the property table that only a server may send. */
const SERVER_ONLY: Readonly<Partial<Record<PropertyCommand, readonly string[]>>> = {
  publish: ['subscription-identifier'],
  disconnect: ['server-reference'],
};

/** Largest value of each numeric type; a smallest value other than 0 stands in SMALLEST. */
const LARGEST = { byte: 1, u16: 65_535, u32: 0xffff_ffff, varint: 268_435_455 } as const;
/** Zero is a protocol error for these (sections 3.1.2.11.3, 3.1.2.11.4, 3.3.2.3.4, 3.8.2.1.2). */
const FROM_ONE: readonly string[] = [
  'receive-maximum',
  'maximum-packet-size',
  'topic-alias',
  'subscription-identifier',
];

/** The kind of -D. */
export const PROPERTY: Kind<PropertyArgument> = {
  switch: false,
  words: (following) => (following[1] === 'user-property' ? 4 : 3),
  parse: parseProperty,
  choices: Object.keys(COMMANDS),
  seconds: () =>
    Object.fromEntries(
      (Object.keys(COMMANDS) as PropertyCommand[]).map((command) => [
        command,
        propertiesFor(command).map((row) => row.option),
      ]),
    ),
};

function parseProperty(words: readonly string[]): PropertyArgument {
  const [command = '', name = '', text = '', second = ''] = words;
  if (!isCommand(command)) {
    const sentence = 'Invalid command given in --property argument.';
    throw new UsageError(withNearest(sentence, command, Object.keys(COMMANDS)));
  }
  const row = (PROPERTIES as readonly PropertyRow[]).find((candidate) => candidate.option === name);
  if (row === undefined) {
    const names = propertiesFor(command).map((candidate) => candidate.option);
    throw new UsageError(withNearest('Invalid property name given in --property argument.', name, names));
  }
  if (!propertiesFor(command).includes(row)) {
    const word = SERVER_ONLY[command]?.includes(name) === true ? 'supported' : 'allowed';
    throw new UsageError(`${name} property not ${word} for ${command} in --property argument.`);
  }
  for (const word of [text, second]) {
    if (bytesOf(word).length > MAX_STRING) throw new UsageError(`Property value too long for property ${name}.`);
  }
  return { command, row, value: readValue(row, text, second) };
}

/** The mask of -D: credentials of enhanced authentication are a secret. */
export function maskProperty([command = '', name = '', ...values]: readonly string[]): readonly string[] {
  return [command, name, ...(name === 'authentication-data' ? maskAll(values) : values)];
}

function isCommand(word: string): word is PropertyCommand {
  return Object.hasOwn(COMMANDS, word);
}

/** The properties that a client may set in a packet, in the table's order. */
export function propertiesFor(command: PropertyCommand): readonly PropertyRow[] {
  return (PROPERTIES as readonly PropertyRow[]).filter(
    (row) => row.packets.includes(COMMANDS[command]) && !SERVER_ONLY[command]?.includes(row.option),
  );
}

function readValue(row: PropertyRow, text: string, second: string): PropertyArgument['value'] {
  switch (row.type) {
    case 'string':
      return text;
    case 'binary':
      return bytesOf(text);
    case 'pair':
      return [text, second];
    default: {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= (FROM_ONE.includes(row.option) ? 1 : 0) && value <= LARGEST[row.type])) {
        throw new UsageError(`Property value (${text}) out of range for property ${row.option}.`);
      }
      return value;
    }
  }
}

/** Gathers the properties of one packet. A property that is given twice counts once, the last; user properties all count. */
export function gatherProperties(list: readonly PropertyArgument[], command: PropertyCommand): Properties {
  const gathered: Record<string, unknown> = {};
  const pairs: (readonly [string, string])[] = [];
  for (const { command: of, row, value } of list) {
    if (of !== command) continue;
    if (row.type === 'pair') {
      pairs.push(value as readonly [string, string]);
      gathered[row.name] = pairs;
    } else {
      gathered[row.name] = value;
    }
  }
  return gathered;
}
