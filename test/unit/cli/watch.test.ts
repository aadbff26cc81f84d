import assert from 'node:assert/strict';
import process from 'node:process';
import { Writable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { Console } from '../../../src/cli/commands/console.ts';
import { Watch } from '../../../src/cli/commands/watch.ts';
import { compileFormat, verbosePrinter } from '../../../src/cli/format/format.ts';
import { PLAIN } from '../../../src/cli/terminal.ts';
import { received } from './messages.ts';

/** A terminal that understands what the screen is drawn with, and nothing else. */
class Screen extends Writable {
  readonly isTTY = true;
  columns = 20;
  rows = 5;
  cells: string[] = [];
  isCursorShown = true;
  draws = 0;
  all = '';
  #row = 0;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const text = chunk.toString();
    this.all += text;
    if (text.includes('\u001b[')) this.draws += 1;
    for (const part of text.split('\u001b[').slice(text.startsWith('\u001b[') ? 1 : 0)) {
      const [all = '', row, code] = /^(\d+);1H|^(H|J|2K|\?7[hl]|\?25[hl])/.exec(part) ?? [];
      if (row !== undefined) this.#row = Number(row) - 1;
      else if (code === 'H') this.#row = 0;
      else if (code === 'J') this.cells.length = this.#row;
      else if (code === '2K') this.cells[this.#row] = '';
      else if (code?.startsWith('?25')) this.isCursorShown = code === '?25h';
      const shown = part.slice(all.length).replace(/^[\r\n]+$/, '');
      if (shown !== '') this.cells[this.#row] = (this.cells[this.#row] ?? '') + shown;
    }
    done();
  }

  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows });
    this.emit('resize');
  }
}

/** A watch on a screen; `frame` lets the time of a drawing pass. */
function watching(context: TestContext, format: string | null = null) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const screen = new Screen();
  const errors = new Screen();
  const stdout = screen as unknown as NodeJS.WriteStream;
  const io = { stdin: process.stdin, stdout, stderr: errors as unknown as NodeJS.WriteStream, env: {} };
  const console = new Console(io, { ...PLAIN, topic: (text) => `<${text}>` }, PLAIN, false);
  const printer = format === null ? verbosePrinter(false, (text) => text) : compileFormat(format, false, true);
  const watch = new Watch({ stdout }, console, printer, () => 1000);
  context.after(() => watch.end());
  const pass = (ms: number): void => {
    context.mock.timers.tick(ms);
    console.out.flush();
  };
  const frame = (): void => pass(40);
  const show = (topic: string, payload: string): void => watch.show(received({ topic, payload: Buffer.from(payload) }));
  return { screen, errors, console, watch, pass, frame, show };
}

describe('the screen of -w', () => {
  it('has a line for each topic, in the order of their first messages', (context) => {
    const { screen, frame, show, watch } = watching(context);
    show('a', '1');
    show('b', '1');
    frame();
    assert.deepEqual([screen.cells, screen.isCursorShown], [['<a> 1', '<b> 1'], false]);
    show('b', '2');
    show('c', '');
    show('a', 'longer than the screen is wide');
    show('a', 'longer than the screen, 2');
    frame();
    assert.deepEqual(screen.cells, ['<a> longer than the sc', '<b> 2', '<c> (null)']);
    show('b', '3');
    watch.end();
    assert.deepEqual([screen.cells[1], screen.isCursorShown], ['<b> 3', true]);
  });

  it('shows what -F makes of messages, on one line and harmless', (context) => {
    const { screen, frame, show } = watching(context, '%q\\n%p');
    show('a', 'x\r\n\u001b[2Jy');
    frame();
    assert.deepEqual(screen.cells, ['0 x \\x1b[2Jy']);
    assert.ok(!screen.all.includes('\u001b[2J'));
  });

  it('counts the topics that find no room, and finds room when it grows', (context) => {
    const { screen, frame, show } = watching(context);
    for (const topic of ['1', '2', '3', '4', '5', '6']) show(topic, 'x');
    frame();
    assert.deepEqual(screen.cells, ['<1> x', '<2> x', '<3> x', '<4> x', '… 2 more topics']);
    screen.resize(3, 7);
    frame();
    assert.deepEqual(screen.cells, ['<1> x', '<2> x', '<3> x', '<4> x', '<5> x', '<6> x']);
    screen.resize(2, 3);
    frame();
    assert.deepEqual(screen.cells, ['<1> ', '<2> ', '… ']);
  });

  it('is bounded in topics', (context) => {
    const { screen, frame, show } = watching(context);
    screen.resize(80, 10_000);
    for (let i = 0; i < 1200; i++) show(`t${i}`, 'x');
    show('t1199', 'again');
    frame();
    assert.equal(screen.cells.length, 1001);
    assert.equal(screen.cells.at(-1), '… 200 more topics');
  });

  it('is drawn once for many messages, 40 milliseconds after the last time', (context) => {
    const { screen, pass, frame, show } = watching(context);
    show('a', '0');
    pass(0);
    assert.deepEqual(screen.cells, ['<a> 0']);
    show('a', '1');
    pass(39);
    assert.deepEqual(screen.cells, ['<a> 0']);
    pass(1);
    assert.deepEqual(screen.cells, ['<a> 1']);
    const { draws } = screen;
    for (let i = 0; i < 10_000; i++) show('a', String(i));
    frame();
    assert.deepEqual(screen.cells, ['<a> 9999']);
    assert.ok(screen.draws - draws <= 2, String(screen.draws - draws));
  });

  it('keeps sentences on its last line, and prints them when it has ended', (context) => {
    const { screen, errors, frame, show, watch, console } = watching(context);
    show('a', '1');
    frame();
    console.warn('Warning: \u001b[2Jone.');
    console.error('Error: two.');
    frame();
    assert.deepEqual(screen.cells, ['<a> 1', 'Error: two.']);
    assert.equal(errors.all, '');
    watch.end();
    assert.equal(errors.all, 'Warning: \\x1b[2Jone.\nError: two.\n');
  });

  it('gives the cursor back before Ctrl-\\ ends the process', { skip: process.platform === 'win32' }, (context) => {
    const { screen, show, frame } = watching(context);
    const kill = context.mock.method(process, 'kill', () => true);
    show('a', '1');
    frame();
    assert.equal(screen.isCursorShown, false);
    process.emit('SIGQUIT', 'SIGQUIT');
    assert.equal(screen.isCursorShown, true);
    assert.deepEqual(
      kill.mock.calls.map((call) => call.arguments),
      [[process.pid, 'SIGQUIT']],
    );
    assert.equal(process.listenerCount('SIGQUIT'), 0);
  });

  it('leaves no handler behind', (context) => {
    const { screen, show, watch } = watching(context);
    const count = (): number[] => [
      ...['SIGCONT', 'SIGTSTP', 'SIGQUIT', 'exit'].map((event) => process.listenerCount(event)),
      screen.listenerCount('resize'),
    ];
    const before = count();
    show('a', '1');
    assert.notDeepEqual(count(), before);
    watch.end();
    watch.end();
    show('a', '2');
    assert.deepEqual(count(), before);
  });
});
