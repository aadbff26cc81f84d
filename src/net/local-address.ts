// The name of a local address to dial from, as the address that Node wants.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { DialSpec } from './specs.ts';

/** The same with the address that the local name stands for, in the family of a host that is an address. Rejects as lookup(). */
export async function withLocalAddress(spec: DialSpec): Promise<DialSpec> {
  const name = spec.localAddress ?? '';
  // Node finds that an empty name has no address, and does not call it an error.
  if (name === '') throw Object.assign(new Error('the local address is empty'), { code: 'ENOTFOUND' });
  const { address } = await lookup(name, { family: isIP(spec.host) });
  return { ...spec, localAddress: address };
}
