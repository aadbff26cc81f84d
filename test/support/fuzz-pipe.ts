// Bytes to a broker and back, over memory, TCP or WebSocket, with all the ways in which a line can end.
import net from 'node:net';
import { WebSocket } from 'ws';
import { memoryPair } from '../../src/net/memory.ts';
import type { Transport } from '../../src/net/transport.ts';
import type { Dice } from './fuzz-dice.ts';

/** 'http' is a bare socket to the listener for WebSockets. */
export type PipeKind = 'memory' | 'tcp' | 'ws' | 'http';

/** One line to a broker. Nothing is thrown for a line that is over. */
export interface Pipe {
  send(bytes: Buffer): void;
  /** Closes this side after what was sent. */
  finish(): void;
  /** Breaks the line. */
  reset(): void;
  pause(): void;
  resume(): void;
  attach(receive: (chunk: Buffer) => void, closed: () => void): void;
}

/** Where a broker can be reached. */
export interface Doors {
  accept(transport: Transport): void;
  readonly tcpPort: number;
  readonly wsPort: number;
}

/** Opens a line. */
export function openPipe(kind: PipeKind, doors: Doors, dice: Dice): Pipe {
  switch (kind) {
    case 'memory':
      return memoryPipe(doors, dice);
    case 'tcp':
      return tcpPipe(doors.tcpPort);
    case 'http':
      return tcpPipe(doors.wsPort);
    case 'ws':
      return wsPipe(doors.wsPort, dice);
  }
}

function memoryPipe(doors: Doors, dice: Dice): Pipe {
  const chance = new OwnChance(dice);
  const isRough = dice.chance(0.5);
  const [ours, theirs] = memoryPair(
    isRough ? { random: chance.next, refuse: 0.2, longestChunk: dice.pick([3, 30, 3000]) } : {},
  );
  doors.accept(theirs);
  return {
    send: (bytes) => void ours.write(Buffer.from(bytes)),
    finish: () => ours.end(),
    reset: () => ours.destroy(),
    pause: () => ours.pause(),
    resume: () => ours.resume(),
    attach: (receive, closed) => ours.attach({ receive, writable: () => undefined, closed }),
  };
}

/** A line's own chances: how often a transport asks depends on the turns of the loop, and must not move the episode's. */
class OwnChance {
  readonly next: () => number;

  constructor(dice: Dice) {
    let state = dice.below(0x7fff_ffff);
    this.next = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return state / 0x8000_0000;
    };
  }
}

function tcpPipe(port: number): Pipe {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  // Every way to end is one to reckon with; 'close' follows.
  socket.on('error', () => undefined);
  return {
    send: (bytes) => {
      if (socket.writable) socket.write(bytes);
    },
    finish: () => void socket.end(),
    // A socket that has closed its side can't be reset any more; Node would keep its handle for ever.
    reset: () => void (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy()),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    attach(receive, closed) {
      socket.on('data', receive);
      socket.on('end', () => socket.end());
      socket.on('close', closed);
    },
  };
}

function wsPipe(port: number, dice: Dice): Pipe {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, ['mqtt'], { perMessageDeflate: false });
  const waiting: (() => void)[] = [];
  const whenOpen = (act: () => void): void => {
    if (socket.readyState === WebSocket.CONNECTING) waiting.push(act);
    else act();
  };
  socket.on('open', () => {
    for (const act of waiting.splice(0)) act();
  });
  socket.on('error', () => undefined);
  return {
    send(bytes) {
      // Packets and frames need not have the same borders (section 6).
      const pieces = dice.chance(0.3) ? dice.cut(bytes, Math.max(1, bytes.length >> 1)) : [bytes];
      whenOpen(() => {
        for (const piece of pieces) if (socket.readyState === WebSocket.OPEN) socket.send(piece, () => undefined);
      });
    },
    finish: () => whenOpen(() => socket.close()),
    reset: () => whenOpen(() => socket.terminate()),
    pause: () => whenOpen(() => socket.pause()),
    resume: () => whenOpen(() => socket.resume()),
    attach(receive, closed) {
      socket.on('message', (data) => receive(data as Buffer));
      socket.on('close', closed);
    },
  };
}
