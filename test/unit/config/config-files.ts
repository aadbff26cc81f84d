// Configuration files for tests, in a folder of their own that is gone afterwards.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigError } from '../../../src/config/errors.ts';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts';

/** Writes files (names may have folders) and calls `use` with their folder. */
export function withFiles<T>(files: Readonly<Record<string, string>>, use: (folder: string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'config-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), content);
    }
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Loads a configuration of one file. */
export function load(text: string, ports: readonly number[] = []): LoadedConfig {
  return withFiles({ 'm.conf': text }, (folder) => loadConfig(path.join(folder, 'm.conf'), {}, ports));
}

/** The lines of the error that an action must end in, with `FOLDER/` taken out of paths. */
export function errorLines(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.lines.map((line) => line.replaceAll(/\/[^ ']*\/config-[^/]*\//g, ''));
  }
  throw new Error('No ConfigError was thrown.');
}

/** The lines of the error that loading a text must end in. */
export function loadError(text: string): string[] {
  return errorLines(() => load(text));
}
