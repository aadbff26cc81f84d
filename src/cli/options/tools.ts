// What --help, --version and the man pages say about a tool beside its options.
import type { Tool } from './row.ts';

/** A tool, for people. */
export interface ToolFacts {
  /** Name of the command. */
  readonly name: string;
  /** What it does, in one sentence that goes on from the name. */
  readonly summary: string;
  /** How it is called: a line each, without the name of the command. */
  readonly synopsis: readonly string[];
  /** Exit code of --help and --version. */
  readonly helpCode: 0 | 1;
}

const CONNECT = '[-h HOST] [-p PORT] [-u NAME] [-P PASSWORD]';

/** The tools. */
export const TOOLS: Readonly<Record<Tool, ToolFacts>> = {
  broker: {
    name: 'mqtt-broker',
    summary: 'is a broker for MQTT 3.1, 3.1.1 and 5.0.',
    synopsis: [
      '[-c config_file] [-d] [-h] [-p port] [-v]',
      '--test-config -c config_file',
      '{--store-info | --store-export | --store-import} -c config_file',
    ],
    helpCode: 0,
  },
  pub: {
    name: 'mqtt-pub',
    summary: 'publishes messages on one topic.',
    synopsis: [
      `${CONNECT} -t TOPIC {-m TEXT | -f FILE | -l | -s | -n} [OPTION ...]`,
      '-L URL {-m TEXT | -f FILE | -l | -s | -n} [OPTION ...]',
      `${CONNECT} [-t TOPIC] --json-lines [OPTION ...]`,
      `${CONNECT} --replay FILE [--speed FACTOR] [--topic-map FROM=TO ...] [OPTION ...]`,
    ],
    helpCode: 1,
  },
  sub: {
    name: 'mqtt-sub',
    summary: 'subscribes to topics and prints the messages that come in.',
    synopsis: [`${CONNECT} -t FILTER ... [OPTION ...]`, '-L URL [OPTION ...]'],
    helpCode: 1,
  },
  rr: {
    name: 'mqtt-rr',
    summary: 'publishes a request and waits for its response.',
    synopsis: [
      `${CONNECT} -t TOPIC -e TOPIC {-m TEXT | -f FILE | -s | -n} [OPTION ...]`,
      '-L URL -e TOPIC {-m TEXT | -f FILE | -s | -n} [OPTION ...]',
    ],
    helpCode: 1,
  },
  passwd: {
    name: 'mqtt-passwd',
    summary: 'keeps the password file of a broker.',
    synopsis: [
      '[-c] [-H HASH] [-I COUNT] FILE USER',
      '-b [-c] [-H HASH] [-I COUNT] FILE USER PASSWORD',
      '-D FILE USER',
      '-U [-H HASH] [-I COUNT] FILE',
      'verify FILE USER',
      '-b verify FILE USER PASSWORD',
      'list FILE',
    ],
    helpCode: 1,
  },
  bench: {
    name: 'mqtt-bench',
    summary: 'measures brokers: connections, messages, latency.',
    synopsis: [
      'conn [-h HOST] [-p PORT] [-n COUNT] [OPTION ...]',
      'pub [-h HOST] [-p PORT] [-n COUNT] [-t TOPIC] [OPTION ...]',
      'sub [-h HOST] [-p PORT] [-n COUNT] [-t FILTER] [OPTION ...]',
      'load [-h HOST] [-p PORT] [--publishers COUNT] [--subscribers COUNT] [OPTION ...]',
    ],
    helpCode: 0,
  },
};
