// Security options listener by listener, and access rules where clients meet them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOW, DENY, type Plugin, READ } from '../../src/broker/hooks/points.ts';
import { makeHash } from '../../src/broker/plugins/hashes.ts';
import { freePort } from '../support/free-port.ts';
import { join, nothingCame, open, openFile, refusal } from './harness.ts';

const ann = { username: 'ann', password: 'secret' };

// Each option, at the default listener and at a named one, with and without its own settings.
for (const perListener of [false, true]) {
  for (const kind of ['default', 'named']) {
    test(`security options count at the ${kind} listener, per_listener_settings ${perListener} [CVE-2018-20145]`, async (context) => {
      const port = await freePort();
      const other = await freePort();
      const hash = await makeHash(Buffer.from('secret'), 'sha512');
      const options = [
        'allow_anonymous false',
        'password_file FOLDER/passwd',
        'acl_file FOLDER/acl',
        'allow_zero_length_clientid false',
      ];
      const head = perListener ? ['per_listener_settings true'] : [];
      const otherListener = [`listener ${other} 127.0.0.1`, ...(perListener ? ['allow_anonymous true'] : [])];
      const lines =
        kind === 'default'
          ? [...head, `port ${port}`, 'bind_address 127.0.0.1', ...options, ...otherListener]
          : [...head, `listener ${port} 127.0.0.1`, ...options, ...otherListener];
      await openFile(context, lines, { passwd: `ann:${hash}\n`, acl: 'user ann\ntopic a\ntopic round/trip\n' });
      assert.equal(await refusal(port), 0x87);
      assert.equal(await refusal(port, { ...ann, password: 'wrong' }), 0x87);
      assert.equal(await refusal(port, { ...ann, clientId: '' }), 0x85);
      const client = await join(context, port, ann);
      await client.subscribe('#');
      assert.equal((await client.publish('b', 'x', { qos: 1 })).reason.code, 0x87);
      assert.equal((await client.publish('a', 'x', { qos: 1 })).reason.code, 0);
      assert.equal(await client.inbox.text(), 'a x');
      assert.equal(await refusal(other), perListener ? 0 : 0x87);
      assert.equal(await refusal(other, { clientId: '', ...(perListener ? {} : ann) }), perListener ? 0 : 0x85);
      if (!perListener) return;
      // The rules of the other listener are its own: it has none, but what it lets in is judged on the way out here.
      const free = await join(context, other, { version: '3.1.1' });
      await free.publish('b', 'hidden', { qos: 1 });
      await free.publish('a', 'seen', { qos: 1 });
      assert.equal(await client.inbox.text(), 'a seen');
    });
  }
}

test('a retained message is judged by the rules of the listener that it came through', async (context) => {
  const [port, other] = [await freePort(), await freePort()];
  const lines = [
    'per_listener_settings true',
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'acl_file FOLDER/acl',
    `listener ${other} 127.0.0.1`,
    'allow_anonymous true',
  ];
  await openFile(context, lines, { acl: 'topic read a\ntopic round/trip\n' });
  const free = await join(context, other);
  await free.publish('a', 'kept', { retain: true, qos: 1 });
  const reader = await join(context, port);
  await reader.subscribe('a');
  assert.equal(await reader.inbox.text(), 'a kept');
});

test('wildcards in names open no pattern, and an empty ACL file denies all [CVE-2017-7650, CVE-2018-12550]', async (context) => {
  const listener = `listener ${await freePort()} 127.0.0.1`;
  const { port, write, reload } = await openFile(context, [listener, 'allow_anonymous true', 'acl_file FOLDER/acl'], {
    acl: 'pattern readwrite x/%u/#\npattern readwrite y/%c\ntopic round/trip\n',
  });
  for (const name of ['#', '+', 'a+b', 'a/#']) {
    const client = await join(context, port, { username: name, clientId: 'plain' });
    await client.subscribe('#');
    assert.equal((await client.publish(`x/ann/1`, 'x', { qos: 1 })).reason.code, 0x87, name);
    const other = await join(context, port, { clientId: name, username: 'ann' });
    await other.subscribe('#');
    assert.equal((await other.publish('y/plain', 'x', { qos: 1 })).reason.code, 0x87, name);
    const owner = await join(context, port, { username: 'ann', clientId: 'owner' });
    assert.equal((await owner.publish('x/ann/1', 'x', { qos: 1 })).reason.code, 0x00);
    assert.equal((await owner.publish('y/owner', 'x', { qos: 1 })).reason.code, 0x00);
    assert.equal(client.inbox.waiting.length + other.inbox.waiting.length, 0);
    for (const one of [client, other, owner]) await one.end();
  }
  for (const text of ['', '\n\n', '# nothing\n']) {
    write('acl', text);
    await reload();
    const client = await join(context, port);
    await client.subscribe('#');
    assert.equal((await client.publish('a', 'x', { qos: 1 })).reason.code, 0x87);
    await client.end();
  }
});

test('where a plugin says that its answers must not be remembered, it is asked about every message', async (context) => {
  let mayRead = true;
  const plugin: Plugin = {
    name: 'moody',
    cacheable: false,
    authorize: (_client, access, topic) => (access === READ && topic === 'a' && !mayRead ? DENY : ALLOW),
  };
  const { port, broker } = await open(context, {}, { plugins: [plugin] });
  const reader = await join(context, port);
  await reader.subscribe('a');
  broker.publish('a', 'one');
  assert.equal(await reader.inbox.text(), 'a one');
  mayRead = false;
  broker.publish('a', 'two');
  await nothingCame(reader);
  mayRead = true;
  broker.publish('a', 'three');
  assert.equal(await reader.inbox.text(), 'a three');
});

test('a plugin is told the reason code with which a client goes', async (context) => {
  const told: string[] = [];
  const plugin: Plugin = {
    name: 'watch',
    disconnected: ({ clientId }, code) => void told.push(`${clientId} ${code}`),
  };
  const { port } = await open(context, {}, { plugins: [plugin] });
  const leaves = await join(context, port, { clientId: 'leaves' });
  await leaves.end();
  const withWill = await join(context, port, { clientId: 'with will' });
  await withWill.end(4);
  const pushed = await join(context, port, { clientId: 'pushed' });
  const gone = new Promise((resolve) => pushed.on('close', resolve));
  await join(context, port, { clientId: 'pushed' });
  await gone;
  assert.deepEqual(told, ['leaves 0', 'with will 4', 'pushed 142']);
});
