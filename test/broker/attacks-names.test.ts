// Attacks by names: topics, client ids, user names and properties that are no text, mean something to JavaScript, or are made
// to be slow to read.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import { topicMatches } from '../../src/protocol/topic.ts';
import { MQTT5, MQTT311 } from '../../src/protocol/version.ts';
import { freePort } from '../support/free-port.ts';
import { finishBuilt } from '../support/process.ts';
import { connectBytes, publishBytes, RawClient } from '../support/raw-client.ts';
import { watch } from './attack-watch.ts';
import { join, nothingCame, open, openFile, refusal, scratch } from './harness.ts';

/** Bytes that are no UTF-8 Encoded String: U+0000, surrogates, overlong forms, bytes beyond Unicode, sequences cut short. */
const NO_STRINGS: readonly (readonly number[])[] = [
  [0x00],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xe0, 0x80, 0xaf],
  [0xf0, 0x80, 0x80, 0xaf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xff],
  [0x80],
  [0xc3],
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x98],
];

/** Replaces the marks of a packet that was made with as many marks as there are bad bytes. */
function spoil(packet: Buffer, bad: readonly number[]): Buffer {
  const at = packet.indexOf(Buffer.alloc(bad.length, '~'));
  assert.ok(at > 0);
  return Buffer.concat([packet.subarray(0, at), Buffer.from(bad), packet.subarray(at + bad.length)]);
}

/** A PUBLISH of QoS 0 with one user property of this value. */
function publishWithProperty(value: string): Buffer {
  const property = [0x26, 0, 1, 0x6b, 0, value.length, ...Buffer.from(value)];
  const body = [0, 1, 0x61, property.length, ...property, 0x78];
  return Buffer.from([0x30, body.length, ...body]);
}

test('text that is none ends its sender, reaches nobody and ends nobody else [CVE-2017-7653]', async (context) => {
  const { port, log } = await open(context);
  const watching = await watch(context, port, log);
  const witness = await join(context, port);
  await witness.subscribe('#');
  const will = { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false, properties: {} };
  let strikes = 0;
  const strike = async (profile: typeof MQTT5, joins: boolean, packet: Buffer, bad: readonly number[]) => {
    const client = joins ? await RawClient.join(port, 'bad', { profile }) : await RawClient.open(port, profile);
    client.send(spoil(packet, bad));
    await client.ended();
    strikes += 1;
  };
  for (const bad of NO_STRINGS) {
    const mark = '~'.repeat(bad.length);
    const filter = { filter: `a/${mark}/b`, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    for (const profile of [MQTT5, MQTT311]) {
      await strike(profile, true, publishBytes(profile, `a/${mark}/b`, 'x', 1), bad);
      const subscribe = Buffer.concat([
        Buffer.from([0x82, (profile.hasProperties ? 8 : 7) + filter.filter.length - 2, 0, 1]),
        Buffer.from(profile.hasProperties ? [0] : []),
        Buffer.from([0, filter.filter.length]),
        Buffer.from(filter.filter),
        Buffer.from([0]),
      ]);
      await strike(profile, true, subscribe, bad);
      await strike(profile, false, connectBytes(`id${mark}`, { profile }), bad);
      await strike(profile, false, connectBytes('id', { profile, username: mark }), bad);
      await strike(profile, false, connectBytes('id', { profile, will: { ...will, topic: mark } }), bad);
    }
    const properties = { userProperties: [['k', mark]] as const };
    await strike(MQTT5, true, publishWithProperty(mark), bad);
    await strike(MQTT5, false, connectBytes('id', { properties }), bad);
    await strike(MQTT5, false, connectBytes('id', { will: { ...will, properties: { contentType: mark } } }), bad);
  }
  assert.equal(strikes, NO_STRINGS.length * 13);
  await nothingCame(witness);
  await witness.end();
  await watching.over();
});

test('topics that begin with a dollar sign are nothing special but $SYS and $share [CVE-2018-12543]', async (context) => {
  const { port, log } = await open(context);
  const watching = await watch(context, port, log);
  const watcher = await join(context, port);
  await watcher.subscribe(['$x/#', '$/#', '$CONTROL/#', '#', '$SYSTEM/+']);
  for (const topic of [
    '$x',
    '$',
    '$/',
    '$x/y',
    '$CONTROL',
    '$CONTROL/x/v1',
    '$SYSTEM/x',
    '$SYS',
    '$SYS/',
    '$SYS/x',
    '$share',
    '$share/',
    '$share/g',
    '$share/g/t',
    '$$',
    '$ ',
  ]) {
    const client = await RawClient.join(port, 'dollar', { profile: MQTT311 });
    client.send(publishBytes(MQTT311, topic, 'x', 1));
    await client.next();
    client.socket.destroy();
  }
  const seen: string[] = [];
  await watcher.publish('end', '', { qos: 1 });
  for (let topic = ''; topic !== 'end'; seen.push(topic)) topic = (await watcher.inbox.next()).topic;
  assert.deepEqual(seen, ['$x', '$', '$/', '$x/y', '$CONTROL', '$CONTROL/x/v1', '$SYSTEM/x', 'end']);
  await watcher.end();
  await watching.over();
});

test('1,024 levels are delivered, retained and subscribed to, and 65,535 slashes refused, without recursion [CVE-2019-11779]', async (context) => {
  const { port, log } = await open(context);
  const watching = await watch(context, port, log);
  const deepest = '/'.repeat(1023);
  const client = await join(context, port);
  for (const filter of [deepest, `${'+/'.repeat(1023)}+`, `${'/'.repeat(1022)}/#`, `$share/g/${'+/'.repeat(1000)}#`]) {
    await client.subscribe(filter);
    await client.publish(deepest, 'deep', { qos: 1 });
    assert.equal(await client.inbox.text(), `${deepest} deep`);
    await client.unsubscribe(filter);
  }
  await client.publish(deepest, 'kept', { qos: 1, retain: true });
  await client.subscribe('#');
  assert.equal((await client.inbox.next()).payload.toString(), 'kept');
  await client.publish(deepest, '', { qos: 1, retain: true });
  await client.inbox.next();
  await client.end();
  const slashes = '/'.repeat(65_535);
  const subscription = { filter: slashes, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };
  for (const packet of [
    publishBytes(MQTT5, slashes, 'x', 1),
    { type: 8, id: 1, subscriptions: [subscription], properties: {} } as const,
    { type: 8, id: 1, subscriptions: [{ ...subscription, filter: '+/'.repeat(32_767) }], properties: {} } as const,
    { type: 10, id: 1, filters: [slashes], properties: {} } as const,
  ]) {
    const attacker = await RawClient.join(port, 'slashes');
    attacker.send(packet);
    await attacker.ended();
  }
  const dying = await RawClient.open(port);
  const will = { topic: slashes, payload: Buffer.from('x'), qos: 0, retain: false, properties: {} };
  dying.send(connectBytes('slashes', { will }));
  await dying.ended();
  await watching.over();
});

test('names of JavaScript are no users, groups or rights [ours: __proto__]', async (context) => {
  const lines = [
    `listener ${await freePort()} 127.0.0.1`,
    'listener_allow_anonymous true',
    'password_file FOLDER/passwd',
    'acl_file FOLDER/acl',
  ];
  const { port, write, reload } = await openFile(context, lines, {
    passwd: '',
    acl: 'user ann\ntopic secret\npattern readwrite own/%u/%c\n',
  });
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
  for (const name of names) {
    assert.equal(await refusal(port, { username: name, password: name }), 0x87);
    assert.equal(await refusal(port, { username: name }), 0x87);
  }
  write(
    'acl',
    names
      .map((name) => `user ${name}\ntopic ${name}\n`)
      .join('')
      .concat('pattern readwrite own/%u/%c\n'),
  );
  const folder = path.dirname(write('other', ''));
  for (const name of names) {
    const { code } = await finishBuilt('mqtt-passwd', [
      '-b',
      '-H',
      'sha512',
      path.join(folder, 'passwd'),
      name,
      'secret',
    ]);
    assert.equal(code, 0);
  }
  await reload();
  for (const name of names) {
    const client = await join(context, port, { clientId: name, username: name, password: 'secret' });
    const may = async (topic: string): Promise<boolean> =>
      (await client.publish(topic, 'x', { qos: 1, properties: { userProperties: [[name, name]] } })).reason.code < 0x80;
    assert.deepEqual([await may(name), await may(`own/${name}/${name}`), await may('secret')], [true, true, false]);
    assert.equal(await may(names[(names.indexOf(name) + 1) % names.length]!), false);
    await client.end();
  }
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test('the password that mqtt-passwd was given is the one that logs in, and the name is not [no CVE, 2.0.3: -b stored the name as password]', async (context) => {
  const file = path.join(scratch(context), 'passwd');
  for (const scheme of ['bcrypt', 'sha512', 'sha512-pbkdf2']) {
    const made = await finishBuilt('mqtt-passwd', [
      '-c',
      '-b',
      '-H',
      scheme,
      ...(scheme === 'sha512' ? [] : ['-I', scheme === 'bcrypt' ? '4' : '1000']),
      file,
      'ann',
      'secret',
    ]);
    assert.equal(made.code, 0, made.stderr);
    const { port } = await openFile(context, [`listener ${await freePort()} 127.0.0.1`, `password_file ${file}`]);
    assert.equal(await refusal(port, { username: 'ann', password: 'secret' }), 0, scheme);
    for (const password of ['ann', '', file, 'secret ']) {
      assert.equal(await refusal(port, { username: 'ann', password }), 0x87, `${scheme}: ${password}`);
    }
  }
});

test('names that are made to be slow cost no more than others of their length [ours: ReDoS]', async (context) => {
  const lines = [
    `listener ${await freePort()} 127.0.0.1`,
    'allow_anonymous true',
    'acl_file FOLDER/acl',
    'clientid_prefixes a',
  ];
  const { port } = await openFile(context, lines, {
    acl: `pattern readwrite ${'+/'.repeat(50)}%c\npattern readwrite ${'a/'.repeat(50)}#\ntopic deny ${'+/'.repeat(100)}#\n`,
  });
  const names = [
    `a${' '.repeat(60_000)}`,
    `a${'/'.repeat(60_000)}`,
    `a${'%u'.repeat(30_000)}`,
    `a${':'.repeat(60_000)}`,
    `a${'::ffff:1.2.3.4'.repeat(4000)}`,
    `a${'\u{1f600}'.repeat(15_000)}`,
    `a${'((a+)+)+'.repeat(7000)}`,
  ];
  for (const name of names) {
    const client = await RawClient.join(port, name);
    for (const topic of ['a/'.repeat(1000), `${'a/'.repeat(50)}${'b/'.repeat(900)}`, 'x'.repeat(60_000)]) {
      client.send(publishBytes(MQTT5, topic, 'x', 1));
      assert.equal((await client.next())?.type, 4);
    }
    client.send({ type: 14, code: 0, properties: NO_PROPERTIES });
    await client.ended();
  }
});

test('a filter of many wildcards is compared in one pass [ours: ReDoS]', () => {
  const topic = 'a/'.repeat(30_000);
  let steps = 0;
  for (let i = 0; i < 200; i++) {
    if (topicMatches(`${'+/'.repeat(29_999)}b`, topic)) steps += 1;
    if (topicMatches(`${'+/'.repeat(15_000)}#`, topic)) steps += 1;
  }
  assert.equal(steps, 200);
});
