// A listener and the connections it took, closed again when the test is over.
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import { dialer, listen } from '../../../src/net/endpoint.ts';
import type { DialSpec, ListenSpec } from '../../../src/net/specs.ts';
import type { TlsListener } from '../../../src/net/tls.ts';
import type { Listener, Transport } from '../../../src/net/transport.ts';

/** What a listener did. */
export interface Rig {
  readonly listener: Listener | TlsListener;
  readonly accepted: Transport[];
  readonly errors: { error: Error; address: string; port: number }[];
  /** The next connection (also one that came before the call). */
  next(): Promise<Transport>;
  /** The next connection that failed. */
  nextError(): Promise<Error>;
  dial(spec?: Partial<DialSpec>): Promise<Transport>;
}

/** Opens a listener on the loopback address. */
export async function openRig(
  context: TestContext,
  spec: Partial<ListenSpec> & { kind: ListenSpec['kind'] },
): Promise<Rig> {
  const events = new EventEmitter();
  const accepted: Transport[] = [];
  const errors: Rig['errors'] = [];
  const listener = await listen(
    { host: '127.0.0.1', port: 0, ...spec },
    (transport) => {
      accepted.push(transport);
      events.emit('change');
    },
    (error, address, port) => {
      errors.push({ error, address, port });
      events.emit('change');
    },
  );
  const dialled: Transport[] = [];
  context.after(async () => {
    for (const transport of [...accepted, ...dialled]) transport.destroy();
    await listener.close();
  });
  let taken = 0;
  let failed = 0;
  return {
    listener,
    accepted,
    errors,
    async next() {
      while (accepted.length <= taken) await once(events, 'change');
      taken += 1;
      return accepted[taken - 1]!;
    },
    async nextError() {
      while (errors.length <= failed) await once(events, 'change');
      failed += 1;
      return errors[failed - 1]!.error;
    },
    async dial(overrides = {}) {
      const transport = await dialer({
        kind: spec.kind,
        host: spec.kind === 'unix' ? (spec.path ?? '') : '127.0.0.1',
        port: listener.port,
        ...overrides,
      }).dial(AbortSignal.timeout(20_000));
      dialled.push(transport);
      return transport;
    },
  };
}
