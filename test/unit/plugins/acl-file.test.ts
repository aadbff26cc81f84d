import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type Access,
  ALLOW,
  DENY,
  type Plugin,
  READ,
  SUBSCRIBE_ACCESS,
  UNSUBSCRIBE_ACCESS,
  WRITE,
} from '../../../src/broker/hooks/points.ts';
import { aclFilePlugin, parseAcl } from '../../../src/broker/plugins/acl-file.ts';
import { ACL_CASES } from '../../support/acl-cases.ts';
import { hookClient, keptLog, takeReload } from '../../support/hook-client.ts';
import { scratch } from '../../support/mosquitto.ts';

function setting(context: TestContext, text: string): { file: string; plugin: Plugin; lines: string[] } {
  const file = path.join(scratch(context), 'acl');
  writeFileSync(file, text);
  const { log, lines } = keptLog();
  return { file, plugin: aclFilePlugin(file, { log }), lines };
}

const may = (plugin: Plugin, user: string | null, id: string, access: Access, topic: string): boolean => {
  const decision = plugin.authorize?.(hookClient(id, user), access, topic);
  assert.ok(decision === ALLOW || decision === DENY);
  return decision === ALLOW;
};

for (const { name, acl, tries } of ACL_CASES) {
  test(`rules: ${name}`, (context) => {
    const { plugin } = setting(context, acl);
    for (const [user, id, topic, expected] of tries) {
      assert.equal(may(plugin, user, id, WRITE, topic), expected, `${user} ${id} ${topic}`);
    }
  });
}

test('read and write are separate; without a word a rule grants both', (context) => {
  const { plugin } = setting(
    context,
    'topic read r\ntopic write w\ntopic readwrite b\ntopic n\ntopic write r2\ntopic read r2\n',
  );
  const rights = (topic: string): string =>
    [READ, WRITE].map((access) => (may(plugin, null, 'c', access as Access, topic) ? 'y' : 'n')).join('');
  assert.deepEqual(['r', 'w', 'b', 'n', 'r2', 'x'].map(rights), ['yn', 'ny', 'yy', 'yy', 'yy', 'nn']);
});

test('subscribing and unsubscribing are allowed: deliveries are checked instead', (context) => {
  const { plugin } = setting(context, '');
  assert.equal(may(plugin, null, 'c', SUBSCRIBE_ACCESS, '#'), true);
  assert.equal(may(plugin, 'u+', 'c#', UNSUBSCRIBE_ACCESS, 'a/+'), true);
  assert.equal(may(plugin, null, 'c', READ, 'a'), false);
});

for (const text of ['', '\n \n', '# only a comment\n', 'user tom\n']) {
  test(`a file without a rule denies all (CVE-2018-12550): ${JSON.stringify(text)}`, (context) => {
    const { plugin } = setting(context, text);
    for (const access of [READ, WRITE] as const) {
      assert.equal(may(plugin, null, 'c', access, 'a'), false);
      assert.equal(may(plugin, 'tom', 'c', access, 'a'), false);
    }
  });
}

test('names with wildcards get nothing through patterns, and the log says so once a client (CVE-2017-7650)', (context) => {
  const { plugin, lines } = setting(context, 'pattern read x/%u/#\npattern readwrite y/%c\npattern read all\n');
  for (const name of ['+', '#', 'a+b', 'a/#']) {
    for (const [user, id] of [
      [name, 'c'],
      ['u', name],
      [null, name],
    ] as const) {
      const client = hookClient(id, user);
      for (const topic of [`x/${name}/t`, 'x/u/t', 'x/victim/t', `y/${id}`, 'y/victim', 'all']) {
        assert.equal(plugin.authorize?.(client, READ, topic), DENY);
      }
    }
  }
  const notices = lines.filter((line) => line.startsWith('notice'));
  assert.equal(notices.length, 12);
  assert.equal(notices[0], 'notice ACL denying access to client with dangerous username "+"');
  assert.equal(notices[1], 'notice ACL denying access to client with dangerous client id "+"');
});

test('a name can not write lines of its own into the log', (context) => {
  const { plugin, lines } = setting(context, 'pattern read x/%u\n');
  may(plugin, 'a\n+: New client', 'c', READ, 'x/y');
  assert.deepEqual(lines, ['notice ACL denying access to client with dangerous username "a\\n+: New client"']);
});

test('names such as $SYS or __proto__ open nothing', (context) => {
  const { plugin } = setting(
    context,
    'pattern readwrite %c/#\npattern deny %c/secret\npattern read $SYS/#\nuser tom\ntopic t\n',
  );
  assert.equal(may(plugin, null, '$SYS', WRITE, '$SYS/broker/x'), false);
  assert.equal(may(plugin, null, '$SYS', READ, '$SYS/secret'), false);
  assert.equal(may(plugin, null, 'c', READ, '$SYS/broker/x'), true);
  assert.equal(may(plugin, '__proto__', 'c', WRITE, 't'), false);
  assert.equal(may(plugin, 'constructor', 'c', WRITE, 't'), false);
});

test('an empty user name counts as none', (context) => {
  const { plugin } = setting(context, 'topic open\npattern write z/%u/q\n');
  assert.equal(may(plugin, '', 'c', WRITE, 'open'), true);
  assert.equal(may(plugin, '', 'c', WRITE, 'z//q'), false);
});

test('a reload changes the rules of connected clients; a bad or missing file keeps them (CVE-2017-7652)', (context) => {
  const { plugin, file } = setting(context, 'pattern read a/%c\n');
  const client = hookClient('c');
  assert.equal(plugin.authorize?.(client, READ, 'a/c'), ALLOW);
  writeFileSync(file, 'pattern read b/%c\n');
  takeReload(plugin);
  assert.equal(plugin.authorize?.(client, READ, 'a/c'), DENY);
  assert.equal(plugin.authorize?.(client, READ, 'b/c'), ALLOW);
  writeFileSync(file, 'topic a/#\nnonsense\n');
  assert.throws(() => plugin.reload?.(), /acl_file ".*acl", line 2/);
  rmSync(file);
  assert.throws(
    () => plugin.reload?.(),
    /^Error: Error: Unable to open acl_file ".*acl": No such file or directory\.$/,
  );
  assert.equal(plugin.authorize?.(client, READ, 'a/c'), DENY);
  assert.equal(plugin.authorize?.(client, READ, 'b/c'), ALLOW);
});

test('a pattern without a placeholder is warned of', (context) => {
  const { lines, file } = setting(context, 'pattern a/b\npattern a%c/b\npattern %c\n');
  assert.deepEqual(lines, [
    `warning Warning: ACL pattern 'a/b' does not contain '%c' or '%u' as a whole level (acl_file "${file}", line 1).`,
    `warning Warning: ACL pattern 'a%c/b' does not contain '%c' or '%u' as a whole level (acl_file "${file}", line 2).`,
  ]);
});

const malformed: [line: string, says: string][] = [
  ['bogus', 'Error: Invalid line in acl_file "f", line 2: "bogus" is no user, topic or pattern line.'],
  ['TOPIC a', 'Error: Invalid line in acl_file "f", line 2: "TOPIC a" is no user, topic or pattern line.'],
  ['user', 'Error: Missing username in acl_file "f", line 2.'],
  ['user  ', 'Error: Missing username in acl_file "f", line 2.'],
  ['topic', 'Error: Empty topic in acl_file "f", line 2.'],
  ['pattern ', 'Error: Empty topic in acl_file "f", line 2.'],
  [
    'topic none a',
    'Error: Invalid topic access type "none" in acl_file "f", line 2: use one of read, write, readwrite, deny.',
  ],
  ['topic read a/#/b', 'Error: Invalid ACL topic "a/#/b" in acl_file "f", line 2: \'#\' must be the whole last level.'],
  ['topic a+', 'Error: Invalid ACL topic "a+" in acl_file "f", line 2: \'+\' must fill a whole level.'],
];
for (const [line, message] of malformed) {
  test(`refused: ${line}`, () => {
    assert.throws(() => parseAcl(['topic a', line], 'f', () => undefined), { message });
  });
}
