// Where the lines of the differential suite are run: one mosquitto with a listener for every way to be reached, and the two
// makes of tools.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { PassThrough, Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { main as passwd } from '../../src/cli/commands/passwd.ts';
import { main as pub } from '../../src/cli/commands/pub.ts';
import { main as rr } from '../../src/cli/commands/rr.ts';
import { main as sub } from '../../src/cli/commands/sub.ts';
import type { Io } from '../../src/cli/io.ts';
import { helpText } from '../../src/cli/usage.ts';
import { VERSION } from '../../src/version.ts';
import { freePorts } from '../support/free-port.ts';
import { scratch, startBroker } from '../support/mosquitto.ts';
import { built, finish, type Program, whereIs } from '../support/process.ts';
import { makeCertificates } from './certificates.ts';
import { FILES, fill, type Group, type Line, normal, type Outcome, PROPERTIES, wordsOf } from './differential-line.ts';
import type { Role, Vendor } from './tools.ts';

const COMMANDS = { pub, sub, rr, passwd } as const;

/** Milliseconds that a line may take. */
const PATIENCE_MS = 15_000;

/** Environment of every run: nobody's configuration, and English. */
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  TZ: 'Asia/Kolkata',
  NO_COLOR: '1',
};

/** The broker, and the words that lines may use. */
export class Stage {
  readonly #broker: Program;
  readonly #folder: string;
  readonly #values: Readonly<Record<string, string>>;
  /** The text of --help of mosquitto's tools. */
  readonly #usage = new Map<string, string>();

  constructor(broker: Program, folder: string, values: Readonly<Record<string, string>>) {
    this.#broker = broker;
    this.#folder = folder;
    this.#values = values;
  }

  /** Runs a line with one make of tools. `place` is its number in the suite, which keeps its topics apart from others'. */
  async run(group: Group, line: Line, place: number, vendor: Vendor): Promise<Outcome> {
    const tag = `d${String(place).padStart(4, '0')}${vendor === 'mosquitto' ? 'm' : 'o'}`;
    const dir = path.join(this.#folder, tag);
    const at = `-h 127.0.0.1 -p ${this.#values['port']}`;
    const values = { ...this.#values, folder: this.#folder, t: tag, dir };
    mkdirSync(dir, { recursive: true });
    const file = path.join(dir, 'file');
    if (line.file !== undefined) writeFileSync(file, FILES[line.file], { mode: 0o600 });
    for (const earlier of line.before ?? []) await this.#help(earlier, values);
    const [tool = '', ...words] = wordsOf(line.line);
    if (line.options !== undefined) {
      mkdirSync(path.join(dir, '.config'));
      for (const folder of [dir, path.join(dir, '.config')]) {
        writeFileSync(path.join(folder, `mosquitto_${tool}`), fill(line.options, values));
      }
    }
    const common = wordsOf((group.common ?? '').replace('{at}', at));
    const extra = vendor === 'mosquitto' ? [] : wordsOf(group.own ?? '');
    const given = [...common, ...extra, ...words].map((word) => fill(word, values));
    const wanted = Object.entries(line.env ?? {}).map(([name, value]) => [name, fill(value, values)] as const);
    const env = { ...ENVIRONMENT, ...Object.fromEntries(wanted) };
    const inside = group.inside === true && vendor !== 'mosquitto' && line.signal === undefined;
    const start = inside ? runInside : runProgram;
    const run = start(vendor, tool as Role, given, fill(line.input ?? '', values), env);
    if (line.meanwhile !== undefined || line.signal !== undefined) {
      const sign = tool === 'rr' ? `Received PUBLISH from ${tag} ` : `Sending SUBACK to ${tag}\n`;
      await Promise.race([this.#broker.seen(sign, 'stderr'), run.ended]);
      for (const later of line.meanwhile ?? []) await this.#help(later, values);
      if (line.signal !== undefined) {
        if (vendor === 'mosquitto') await asleep(run.pid);
        process.kill(run.pid, line.signal);
      }
    }
    const outcome = await run.ended;
    const usage = vendor === 'mosquitto' ? await this.#usageOf(tool as Role) : ownUsage(tool as Role);
    for (const earlier of line.before ?? []) {
      const [what, ...rest] = wordsOf(earlier);
      const topic = rest[rest.indexOf('-t') + 1] ?? '';
      if (what === 'pub' && rest.includes('-r')) await this.#help(`pub -r -n -t ${topic}`, values);
    }
    const own = {
      ...{ dir, folder: this.#folder, t: tag, version: VERSION },
      ...(words.includes('-I') ? { pid: String(run.pid) } : {}),
      ...this.#ports(),
    };
    const clean = (text: string): string => normal(text.replace(usage, '{usage}\n'), own);
    const left = existsSync(file) ? readFileSync(file, 'latin1') : '';
    return { code: outcome.code, stdout: clean(outcome.stdout), stderr: clean(outcome.stderr), file: clean(left) };
  }

  /** Runs one of mosquitto's tools beside the line that is compared. */
  async #help(line: string, values: Readonly<Record<string, string>>): Promise<void> {
    const [tool, ...words] = wordsOf(fill(line, { properties: PROPERTIES }));
    const address = ['-h', '127.0.0.1', '-p', this.#values['port'] ?? ''];
    const { ended } = runProgram(
      'mosquitto',
      tool as Role,
      [...address, ...words.map((word) => fill(word, values))],
      '',
      ENVIRONMENT,
    );
    const { code, stderr } = await ended;
    if (code !== 0) throw new Error(`${line}: ${stderr}`);
  }

  async #usageOf(tool: Role): Promise<string> {
    const known = this.#usage.get(tool);
    if (known !== undefined) return known;
    const { stdout } = await runProgram('mosquitto', tool, ['--help'], '', ENVIRONMENT).ended;
    this.#usage.set(tool, stdout);
    return stdout;
  }

  #ports(): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(this.#values).filter(([, value]) => /^\d{5}$/.test(value)));
  }
}

/** The text of --help of ours, a character for a byte. */
const ownUsage = (tool: Role): string => Buffer.from(helpText(tool)).toString('latin1');

/** Resolves once a process waits for something: a signal that hits mosquitto_sub at its work may lock it for ever. */
async function asleep(pid: number): Promise<void> {
  while (!/\) S /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')))
    await new Promise((resolve) => setImmediate(resolve));
}

interface Run {
  readonly pid: number;
  readonly ended: Promise<Omit<Outcome, 'file'>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

function runProgram(vendor: Vendor, tool: Role, words: string[], input: string, env: Environment): Run {
  const [program, args] =
    vendor === 'mosquitto'
      ? [whereIs(`mosquitto_${tool}`) ?? '', words]
      : [process.execPath, [built(`mqtt-${tool}`), ...words]];
  const options = { encoding: 'latin1', env, timeout: PATIENCE_MS, killSignal: 'SIGKILL' } as const;
  let pid = 0;
  const ended = new Promise<Omit<Outcome, 'file'>>((resolve) => {
    const child = execFile(program, args, options, (_, stdout, stderr) => {
      resolve({ stdout, stderr, code: child.exitCode });
    });
    pid = child.pid ?? 0;
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
  return { pid, ended };
}

function runInside(_: Vendor, tool: Role, words: string[], input: string, env: Environment): Run {
  const streams = [new PassThrough(), new PassThrough()] as const;
  const texts = streams.map((stream) => stream.setEncoding('latin1').toArray());
  const [stdout, stderr] = streams;
  const io = { stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]), stdout, stderr, env } as unknown as Io;
  const work = async (): Promise<Omit<Outcome, 'file'>> => {
    const code = await COMMANDS[tool](words, io);
    for (const stream of streams) stream.end();
    const [out = [], err = []] = await Promise.all(texts);
    return { code, stdout: out.join(''), stderr: err.join('') };
  };
  return { pid: process.pid, ended: work() };
}

/** Starts the broker with all its listeners. The process's time zone becomes that of the runs. */
export async function openStage(context: Pick<TestContext, 'after'>): Promise<Stage> {
  process.env['TZ'] = ENVIRONMENT.TZ;
  const folder = scratch(context);
  const at = (name: string): string => path.join(folder, name);
  const certificates = await makeCertificates(folder);
  const numbers = [Buffer.alloc(4), Buffer.alloc(8)] as const;
  numbers[0].writeFloatLE(3.25);
  numbers[1].writeDoubleLE(-1234.5678);
  writeFileSync(at('float'), numbers[0]);
  writeFileSync(at('double'), numbers[1]);
  writeFileSync(at('large'), Buffer.alloc(70_000, 'x'));
  writeFileSync(at('binary'), Buffer.from([0xff, 0x00, 0xc3, 0x0a, 0x41]));
  const [port = 0, login = 0, tls = 0, mutual = 0, ws = 0, wide = 0, psk = 0, closed = 0] = await freePorts(8);
  await finish(whereIs('mosquitto_passwd') ?? '', ['-b', '-c', at('passwords'), 'tom', 'secret']);
  writeFileSync(at('keys'), 'tom:0123456789abcdef\n', { mode: 0o600 });
  writeFileSync(at('acl'), 'user tom\ntopic readwrite open/#\ntopic read shown/#\n', { mode: 0o600 });
  const server = [`certfile ${certificates.serverCert}`, `keyfile ${certificates.serverKey}`];
  const broker = await startBroker(
    context,
    'mosquitto',
    [
      'per_listener_settings true',
      'max_packet_size 60000',
      ...[`listener ${port} 127.0.0.1`, 'allow_anonymous true'],
      ...[`listener ${login} 127.0.0.1`, `password_file ${at('passwords')}`, `acl_file ${at('acl')}`],
      ...[`listener ${tls} 127.0.0.1`, 'allow_anonymous true', ...server],
      ...[`listener ${psk} 127.0.0.1`, 'allow_anonymous true', 'psk_hint h', `psk_file ${at('keys')}`],
      ...[`listener ${wide} 127.0.0.2`, 'allow_anonymous true', ...server],
      ...[`listener ${mutual} 127.0.0.1`, 'allow_anonymous true', ...server, `cafile ${certificates.ca}`],
      'require_certificate true',
      ...[`listener ${ws} 127.0.0.1`, 'protocol websockets', 'allow_anonymous true'],
      ...[`listener 0 ${at('socket')}`, 'allow_anonymous true'],
    ],
    { timeout: 120_000 },
  );
  const { ca, otherCa, clientCert, clientKey } = certificates;
  const ports = { port, login, tls, mutual, ws, wide, psk, closed };
  return new Stage(broker, folder, {
    ...Object.fromEntries(Object.entries(ports).map(([name, number]) => [name, String(number)])),
    ...{ ca, otherca: otherCa, cert: clientCert, key: clientKey, socket: at('socket') },
  });
}
