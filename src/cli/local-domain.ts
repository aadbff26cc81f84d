// The DNS domain of this machine, for a lookup without a name.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { UsageError } from './messages.ts';

/** The machine's name. Its module is loaded here: every start of a tool would wait for it, and few need it. */
const hostname = (): string => process.getBuiltinModule('node:os').hostname();

/** What follows the first dot of the machine's name, else the first domain that the resolver searches. Throws UsageError. */
export function localDomain(name: string = hostname(), resolverFile = '/etc/resolv.conf'): string {
  const dot = name.indexOf('.');
  const domain = dot === -1 ? searched(resolverFile) : name.slice(dot + 1);
  if (domain === '') throw new UsageError('-S needs a domain, and this machine has none.\nGive one with -h.');
  return domain;
}

function searched(file: string): string {
  try {
    return /^\s*(?:search|domain)\s+(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}
