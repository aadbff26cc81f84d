// Where an option stands, and the error that a bad configuration ends in.

/** A line of a configuration file. */
export interface Place {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The `include_dir` line that had this file read; null in the main file. */
  readonly from: Place | null;
}

/** `FILE:LINE`, for messages. */
export function placeText(place: Place): string {
  return `${place.file}:${place.line}`;
}

/** A configuration that can't be used. `lines` are to be printed one by one; the process then ends with `exitCode`. */
export class ConfigError extends Error {
  readonly lines: readonly string[];
  readonly exitCode: number;

  constructor(lines: readonly string[], exitCode = 3) {
    super(lines.join('\n'));
    this.name = 'ConfigError';
    this.lines = lines;
    this.exitCode = exitCode;
  }
}

/** An error with its place, and the places of the `include_dir` lines that lead there. */
export function errorAt(place: Place | null, ...sentences: string[]): ConfigError {
  const lines = [...sentences];
  for (let at = place; at !== null; at = at.from) lines.push(`Error found at ${placeText(at)}.`);
  return new ConfigError(lines);
}
