// Brokers that SRV records name: what is looked up, in which order targets are tried, and what is said when none works.
import assert from 'node:assert/strict';
import dns, { type SrvRecord } from 'node:dns';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { dialer } from '../../../src/net/endpoint.ts';
import type { DialSpec } from '../../../src/net/specs.ts';
import { inOrder, srvDialer } from '../../../src/net/srv.ts';
import type { Dialer, Transport } from '../../../src/net/transport.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { dnsServer } from '../../support/dns-server.ts';
import { freePort } from '../../support/free-port.ts';
import { openRig } from './rig.ts';

const record = (name: string, port: number, priority = 0, weight = 0): SrvRecord => ({ name, port, priority, weight });
const numbers = fc.record({
  name: fc.constant('x'),
  port: fc.nat(65_535),
  priority: fc.nat(3),
  weight: fc.nat(5),
});

/** Dials with these records as the answer; what was asked and what was dialled. */
function dialed(records: readonly SrvRecord[] | Error, spec: Partial<DialSpec> = {}, works: number | null = null) {
  const asked: string[] = [];
  const tried: DialSpec[] = [];
  const resolve = async (name: string) => {
    asked.push(name);
    if (records instanceof Error) throw records;
    return records;
  };
  const dialerTo = (target: DialSpec): Dialer => ({
    async dial() {
      tried.push(target);
      if (target.port !== works) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
      return {} as Transport;
    },
  });
  const all: DialSpec = { kind: 'tcp', host: 'example.org', port: 0, srv: { resolve }, ...spec };
  return { asked, tried, result: srvDialer(all, dialerTo).dial(AbortSignal.timeout(20_000)) };
}

test('the name says whether TLS is wanted', async () => {
  for (const [kind, name] of [
    ['tcp', '_mqtt._tcp.example.org'],
    ['ws', '_mqtt._tcp.example.org'],
    ['tls', '_secure-mqtt._tcp.example.org'],
    ['wss', '_secure-mqtt._tcp.example.org'],
  ] as const) {
    const { asked, tried, result } = dialed([record('a.example.org.', 1)], { kind, host: 'example.org.' }, 1);
    await result;
    assert.deepEqual(asked, [name]);
    assert.deepEqual([tried[0]?.host, tried[0]?.port, tried[0]?.srv], ['a.example.org', 1, undefined]);
  }
});

test('targets are tried by priority until one works', async () => {
  const records = [record('c', 3, 30), record('a', 1, 10), record('b', 2, 20)];
  const { tried, result } = dialed(records, {}, 2);
  await result;
  assert.deepEqual(
    tried.map(({ host }) => host),
    ['a', 'b'],
  );
});

test('when none works, all are named', async () => {
  const { result } = dialed([record('a', 1, 1), record('b', 2, 2)]);
  await assert.rejects(result, {
    name: 'LookupError',
    tried: true,
    message: '_mqtt._tcp.example.org names a:1 (Connection refused), b:2 (Connection refused).',
  });
});

test('no records, a service that is not there, and a name server that fails', async () => {
  const none = 'There are no SRV records of _mqtt._tcp.example.org.';
  const failure = (code: string) => Object.assign(new Error(code), { code });
  for (const [records, message] of [
    [[], none],
    [failure('ENOTFOUND'), none],
    [failure('ENODATA'), none],
    [[record('', 0)], 'The SRV record of _mqtt._tcp.example.org says that there is no broker.'],
    [[record('.', 0)], 'The SRV record of _mqtt._tcp.example.org says that there is no broker.'],
    [failure('ETIMEOUT'), 'The name server did not answer for _mqtt._tcp.example.org: ETIMEOUT.'],
  ] as const) {
    const { tried, result } = dialed(records);
    await assert.rejects(result, { name: 'LookupError', tried: false, message });
    assert.deepEqual(tried, []);
  }
});

test('a target that does not answer is left for the next one', async () => {
  const resolve = async () => [record('silent', 1, 1), record('b', 2, 2)];
  const dialerTo = ({ host }: DialSpec): Dialer => ({
    dial: (signal) =>
      new Promise((done, fail) => {
        if (host === 'b') done({} as Transport);
        else signal.addEventListener('abort', () => fail(signal.reason));
      }),
  });
  await srvDialer({ kind: 'tcp', host: 'h', port: 0, srv: { resolve } }, dialerTo, 1).dial(AbortSignal.timeout(20_000));
});

test('giving up ends the whole search', async () => {
  const stop = new AbortController();
  const resolve = () => {
    stop.abort(new Error('enough'));
    return Promise.reject(new Error('cancelled'));
  };
  const dial = srvDialer({ kind: 'tcp', host: 'h', port: 0, srv: { resolve } }, dialer).dial(stop.signal);
  await assert.rejects(dial, { message: 'enough' });
});

test('every record has its turn, lower priorities first', () => {
  fc.assert(
    fc.property(
      fc.array(numbers),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (records, dice) => {
        const order = inOrder(records, () => dice.next().value);
        assert.deepEqual(new Set(order), new Set(records));
        assert.equal(order.length, records.length);
        assert.deepEqual(
          order.map(({ priority }) => priority),
          records.map(({ priority }) => priority).sort((a, b) => a - b),
        );
      },
    ),
  );
});

test('weights are shares of the first place', () => {
  const records = [record('none', 1, 0, 0), record('much', 2, 0, 3), record('little', 3, 0, 1)];
  // A mark of 0 takes the one without weight, 1 to 3 the one with three, 4 the last.
  const firsts = [0, 1, 2, 3, 4].map((mark) => inOrder(records, () => (mark + 0.5) / 5)[0]?.name);
  assert.deepEqual(firsts, ['none', 'little', 'much', 'much', 'much']);
});

test('a certificate is for the target where that lies in the domain, else for the domain', async () => {
  const names = async (name: string, host = 'example.org') => {
    const { tried, result } = dialed([record(name, 1)], { kind: 'tls', host, tls: {} }, 1);
    await result;
    return tried[0]?.tls?.servername ?? tried[0]?.host;
  };
  assert.equal(await names('mqtt.example.org'), 'mqtt.example.org');
  assert.equal(await names('example.org'), 'example.org');
  assert.equal(await names('MQTT.Example.ORG', 'example.org'), 'MQTT.Example.ORG');
  assert.equal(await names('mqtt.evil.net'), 'example.org');
  assert.equal(await names('notexample.org'), 'example.org');
});

/** Has the process ask a name server that knows these records. */
async function serveNames(context: TestContext, records: Readonly<Record<string, readonly SrvRecord[]>>) {
  const server = await dnsServer(context, records);
  const before = dns.getServers();
  dns.setServers([server.address]);
  context.after(() => dns.setServers(before));
  return server;
}

test('over a name server: TLS to the second target, as the first one refuses', async (context) => {
  const authority = makeCertificate({ subject: 'Authority', isAuthority: true });
  const { cert, key } = makeCertificate({ subject: 'x', altNames: ['broker.test'], issuer: authority });
  const rig = await openRig(context, { kind: 'tls', tls: { cert, key } });
  const closed = await freePort();
  const name = '_secure-mqtt._tcp.broker.test';
  const records = [record('localhost', closed, 1), record('localhost', rig.listener.port, 2)];
  const { asked } = await serveNames(context, { [name]: records });
  const near = await rig.dial({ host: 'broker.test', port: 0, srv: {}, tls: { ca: authority.cert } });
  assert.equal(near.info.port, rig.listener.port);
  assert.deepEqual(asked, [name]);
  await assert.rejects(rig.dial({ host: 'elsewhere.test', srv: {} }), {
    message: 'There are no SRV records of _secure-mqtt._tcp.elsewhere.test.',
  });
});
