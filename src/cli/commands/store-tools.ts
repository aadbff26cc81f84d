// The options that look into the store instead of starting a broker.
import type { Config } from '../../config/config.ts';
import type { Io } from '../io.ts';
import { EXIT_CONFIG, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { exportStore } from './store-export.ts';
import { importStore } from './store-import.ts';
import { printStoreInfo } from './store-info.ts';

/** What a tool for the store does; resolves to the exit code. */
type StoreTool = (config: Config, io: Io) => Promise<number>;

/** The tool that the options ask for, null for none. Throws UsageError where it is not told of a configuration. */
export function storeTool(options: Options<'broker'>): StoreTool | null {
  const { storeInfo, storeExport, storeImport, configFile } = options;
  const tool = storeInfo ? printStoreInfo : storeExport ? exportStore : storeImport ? importStore : null;
  if (tool !== null && configFile === null) {
    throw new UsageError('Please provide the configuration file that names the store (-c).', 'nothing', EXIT_CONFIG);
  }
  return tool;
}
