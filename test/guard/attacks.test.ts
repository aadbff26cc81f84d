// Every attack that brokers of this kind have suffered has a test here that cites it. The table is the list; what is about a
// part that does not exist yet names the option that would turn it on, which must still be refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOption } from '../../src/config/options.ts';
import { loadError } from '../unit/config/config-files.ts';
import { sourcesBelow, textOf } from './sources.ts';

/** Something that is not built, and the line of a configuration that asks for it. */
interface Unbuilt {
  readonly what: string;
  readonly line: string;
}

const BRIDGE: Unbuilt = { what: 'bridges', line: 'connection remote' };
const PLUGIN: Unbuilt = { what: 'dynamic security', line: 'plugin /usr/lib/mosquitto_dynamic_security.so' };
const PSK: Unbuilt = { what: 'pre-shared keys', line: 'psk_file psk' };
const HTTP_API: Unbuilt = { what: 'the HTTP API', line: 'listener 8080\nprotocol http_api' };
const HTTP_DIR: Unbuilt = { what: 'serving files', line: 'listener 8080\nhttp_dir /srv' };
const PROXY: Unbuilt = { what: 'the PROXY protocol', line: 'listener 8080\nenable_proxy_protocol 2' };

interface Attack {
  /** As tests cite it. */
  readonly id: string;
  /** Version of Mosquitto that closed it. */
  readonly version: string;
  readonly what: string;
  /** Parts of it that can't be attacked yet. */
  readonly unbuilt?: readonly Unbuilt[];
  /** Why there is no test at all. */
  readonly untested?: string;
}

const ATTACKS: readonly Attack[] = [
  { id: 'CVE-2017-7650', version: '1.4.12', what: 'a name of wildcards opens the patterns of the ACL' },
  { id: 'CVE-2017-9868', version: '1.4.13', what: 'files with secrets can be read by everybody' },
  { id: 'CVE-2017-7651', version: '1.4.15', what: 'a huge length takes memory before anybody has logged in' },
  { id: 'CVE-2017-7652', version: '1.4.15', what: 'a reload that can read nothing falls back to no rules' },
  { id: 'CVE-2017-7653', version: '1.5', what: 'a topic that is no UTF-8 makes the clients that receive it leave' },
  { id: 'CVE-2017-7654', version: '1.5', what: 'CONNECT packets that break rules leak memory' },
  { id: 'CVE-2017-7655', version: '1.5', what: 'bytes from a broker end the client program' },
  { id: 'CVE-2018-12543', version: '1.5.3', what: 'a topic with a dollar sign ends the broker' },
  {
    id: 'no CVE, 1.5.4: certificates over WebSocket',
    version: '1.5.4',
    what: 'WebSocket gets around client certificates',
  },
  { id: 'CVE-2018-20145', version: '1.5.5', what: 'security options of the default listener are overlooked' },
  { id: 'CVE-2018-12546', version: '1.5.6', what: 'a retained message outlives the right to publish it' },
  { id: 'CVE-2018-12550', version: '1.5.6', what: 'an empty ACL file allows everything' },
  { id: 'CVE-2018-12551', version: '1.5.6', what: 'a broken line of the password file is a user without password' },
  {
    id: 'no CVE, 1.6.2: first will property',
    version: '1.6.2',
    what: 'memory of the first property of a will is used after its end',
  },
  { id: 'CVE-2019-11778', version: '1.6.5', what: 'a will that waits longer than its session is used after its end' },
  { id: 'CVE-2019-11779', version: '1.6.6', what: 'tens of thousands of slashes overflow the stack' },
  {
    id: 'no CVE, 1.6.11: Windows service',
    version: '1.6.11',
    what: 'the path of a Windows service stands without quotation marks',
    untested: 'nothing here installs a service; a command that did would be listed in package.json',
  },
  {
    id: 'no CVE, 1.6.12: queue full during QoS 2',
    version: '1.6.12',
    what: 'a full queue leaks what is amid QoS 2',
  },
  {
    id: 'no CVE, 2.0.3: -b stored the name as password',
    version: '2.0.3',
    what: 'the password tool stores the name as password',
  },
  {
    id: 'no CVE, 2.0.9: invalid CA',
    version: '2.0.9',
    what: 'after a bad CA file the next connection is not verified',
    unbuilt: [BRIDGE],
  },
  { id: 'CVE-2021-28166', version: '2.0.10', what: 'a client sends what only a broker may' },
  { id: 'no CVE, 2.0.11: crafted CONNECT of MQTT 5', version: '2.0.11', what: 'properties of CONNECT leak memory' },
  {
    id: 'CVE-2021-34434',
    version: '2.0.12',
    what: 'a right that is taken away lives on in old subscriptions',
    unbuilt: [PLUGIN],
  },
  { id: 'no CVE, 2.0.12: many user properties', version: '2.0.12', what: 'user properties cost their number squared' },
  { id: 'CVE-2020-13849', version: '2.0.12', what: 'slow or silent clients keep their places' },
  {
    id: 'no CVE, 2.0.12: TLS without listener',
    version: '2.0.12',
    what: 'a TLS option alone opens a listener to everybody',
  },
  { id: 'no CVE, 2.0.12: resumed QoS 2', version: '2.0.12', what: 'rights are not asked again when QoS 2 goes on' },
  {
    id: 'no CVE, 2.0.15: the anonymous group',
    version: '2.0.15',
    what: 'the group of nameless clients can be deleted while it is in use',
    unbuilt: [PLUGIN],
    untested: 'belongs to dynamic security, with which groups come',
  },
  { id: 'CVE-2023-28366', version: '2.0.16', what: 'identifiers of QoS 2 that are not released leak memory' },
  { id: 'CVE-2023-0809', version: '2.0.16', what: 'a first packet that is no CONNECT takes memory' },
  { id: 'CVE-2023-3592', version: '2.0.16', what: 'a will with properties that break rules leaks memory' },
  {
    id: 'no CVE, 2.0.16: will to $CONTROL',
    version: '2.0.16',
    what: 'a will reaches the topics that control the broker',
  },
  {
    id: 'no CVE, 2.0.16: names in certificates',
    version: '2.0.16',
    what: 'names in certificates are no clean text',
    unbuilt: [PSK],
  },
  { id: 'no CVE, 2.0.16: bad store', version: '2.0.16', what: 'a damaged store ends the broker' },
  {
    id: 'no CVE, 2.0.16: *.com certificates',
    version: '2.0.16',
    what: 'a certificate for a whole top-level domain is accepted',
  },
  {
    id: 'no CVE, 2.0.19: shared and plain',
    version: '2.0.19',
    what: 'unsubscribing mistakes shared and plain subscriptions',
  },
  {
    id: 'no CVE, 2.0.19: remapping bridge',
    version: '2.0.19',
    what: 'topics from a remote broker are shorter than the prefix that is taken off',
    unbuilt: [BRIDGE],
    untested: 'belongs to bridges',
  },
  {
    id: 'no CVE, 2.0.21: malicious SUBSCRIBE',
    version: '2.0.21',
    what: 'SUBSCRIBE packets that break rules leak memory',
  },
  {
    id: 'behaviour, 2.1: X-Forwarded-For, PROXY and http_dir',
    version: '2.1',
    what: 'addresses that are claimed are believed, and files outside the folder are served',
    unbuilt: [PROXY, HTTP_DIR],
  },
  { id: 'ours: __proto__', version: 'ours', what: 'names that mean something to JavaScript' },
  { id: 'ours: ReDoS', version: 'ours', what: 'texts that are slow to be matched' },
  { id: 'ours: slow-loris', version: 'ours', what: 'handshakes that come byte by byte' },
  { id: 'ours: zip bomb', version: 'ours', what: 'compressed frames that become large' },
  {
    id: 'ours: CORS of the HTTP API',
    version: 'ours',
    what: 'any web page may use the HTTP API with the credentials of its reader',
    unbuilt: [HTTP_API],
    untested: 'belongs to the HTTP API',
  },
];

/** The names of all tests, as they are written. */
function testNames(): string[] {
  const pattern = /\b(?:test|it)\(\s*(['"`])((?:\\.|(?!\1).)+)\1/gs;
  return sourcesBelow('test')
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('guard/attacks.test.ts'))
    .flatMap((file) => [...textOf(file).matchAll(pattern)].map((match) => (match[2] ?? '').replaceAll('\\', '')));
}

/** What names cite: CVE numbers wherever they stand, and the others as a whole in brackets. */
function citedBy(names: readonly string[]): Set<string> {
  const cited = new Set<string>();
  for (const name of names) {
    for (const [id] of name.matchAll(/CVE-\d{4}-\d+/g)) cited.add(id);
    for (const [, id = ''] of name.matchAll(/\[((?:no CVE|behaviour|ours)[^\]]*)\]/g)) cited.add(id);
  }
  return cited;
}

test('every attack has a test that cites it, or a reason', () => {
  const cited = citedBy(testNames());
  const missing = ATTACKS.filter(({ id, untested }) => untested === undefined && !cited.has(id)).map(({ id }) => id);
  assert.deepEqual(missing, []);
  const needless = ATTACKS.filter(({ id, untested }) => untested !== undefined && cited.has(id)).map(({ id }) => id);
  assert.deepEqual(needless, [], 'these have a test after all');
});

test('every attack that a test cites is in the list, once', () => {
  const known = ATTACKS.map(({ id }) => id);
  assert.equal(new Set(known).size, known.length);
  assert.deepEqual(
    [...citedBy(testNames())].filter((id) => !known.includes(id)),
    [],
  );
});

test('what has no test because it is not built is still refused', () => {
  for (const { id, unbuilt = [] } of ATTACKS) {
    for (const { what, line } of unbuilt) {
      const [sentence = ''] = loadError(`${line}\n`);
      assert.match(
        sentence,
        /^Error: (The '\S+' option|'protocol http_api') is not supported by mqtt-broker\.$/,
        `${id}: ${what}`,
      );
    }
  }
  // What is built one day takes more than one line to be refused: the reason of a row must go with it.
  for (const name of ['connection', 'plugin', 'psk_file', 'http_dir', 'enable_proxy_protocol']) {
    assert.equal(findOption(name)?.supported, false, name);
  }
  const { bin } = JSON.parse(textOf('package.json')) as { bin: Record<string, string> };
  assert.deepEqual(Object.keys(bin).sort(), [
    'mqtt-bench',
    'mqtt-broker',
    'mqtt-passwd',
    'mqtt-pub',
    'mqtt-rr',
    'mqtt-sub',
  ]);
});
