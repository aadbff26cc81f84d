// The name of a local address to dial from, as the address that Node wants.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { LookupError } from './lookup-error.ts';
import type { DialSpec } from './specs.ts';

/** The same with the address that the local name stands for, in the family of a host that is one. Rejects with LookupError. */
export async function withLocalAddress(spec: DialSpec): Promise<DialSpec> {
  const name = spec.localAddress ?? '';
  try {
    // Node finds that an empty name has no address, and does not call it an error.
    if (name === '') throw new Error('empty');
    const { address } = await lookup(name, { family: isIP(spec.host) });
    return { ...spec, localAddress: address };
  } catch (error) {
    throw new LookupError(`There is no local address "${name}" to connect from.`, false, error as Error);
  }
}
