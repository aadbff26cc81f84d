// A client of a wire scenario, as the runner knows it.
import type { ScriptedPeer } from './scripted-peer.ts';
import type { Version } from './wire-encode.ts';

/** One client of a scenario. */
export interface Client {
  readonly letter: string;
  peer: ScriptedPeer | null;
  version: Version;
  clientId: string;
  /** Whether it was let in, and may ping. */
  joined: boolean;
  /** The part of a packet that was held back. */
  rest: Buffer | null;
  paused: boolean;
  /** Whether it sent something that no answer has proved to be dealt with. */
  unproven: boolean;
  /** Whether it was found waiting, and may not be answered before the disk goes on. */
  waits: boolean;
  lastId: number;
}

/** A client that has no connection yet. */
export function newClient(letter: string, version: Version): Client {
  return {
    letter,
    peer: null,
    version,
    clientId: letter.toLowerCase(),
    joined: false,
    rest: null,
    paused: false,
    unproven: false,
    waits: false,
    lastId: 99,
  };
}

/** The client's connection is over. */
export function forget(client: Client): void {
  client.peer = null;
  client.joined = false;
  client.rest = null;
  client.waits = false;
}
