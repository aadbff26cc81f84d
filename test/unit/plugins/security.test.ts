import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { HookSet } from '../../../src/broker/hooks/hooks.ts';
import { ALLOW, DENY, READ } from '../../../src/broker/hooks/points.ts';
import { makeHash } from '../../../src/broker/plugins/hashes.ts';
import { securityPlugins } from '../../../src/broker/plugins/security.ts';
import { authRequest, hookClient, keptLog } from '../../support/hook-client.ts';
import { scratch } from '../../support/mosquitto.ts';

// What Mosquitto 2.0.11 answers to these (checked by hand): + in, - out.
const logins = [
  [null, null],
  ['', null],
  ['', 'secret'],
  ['tom', null],
  ['tom', 'secret'],
  ['tom', 'wrong'],
  ['eve', 'secret'],
] as const;
const rows: { allowAnonymous: boolean; withFile: boolean; expected: string }[] = [
  { allowAnonymous: true, withFile: false, expected: '+++++++' },
  { allowAnonymous: true, withFile: true, expected: '+++-+--' },
  { allowAnonymous: false, withFile: true, expected: '----+--' },
  { allowAnonymous: false, withFile: false, expected: '-------' },
];
for (const { allowAnonymous, withFile, expected } of rows) {
  test(`allow_anonymous ${allowAnonymous} ${withFile ? 'with' : 'without'} a password file`, async (context) => {
    const passwordFile = path.join(scratch(context), 'passwd');
    writeFileSync(passwordFile, `tom:${await makeHash(Buffer.from('secret'), 'sha512')}\n`, { mode: 0o600 });
    const { log, lines } = keptLog();
    const options = { allowAnonymous, passwordFile: withFile ? passwordFile : null, aclFile: null };
    const hooks = new HookSet(securityPlugins(options, log), (_plugin, _point, error) => assert.fail(String(error)));
    context.after(() => hooks.close());
    let answers = '';
    for (const [name, password] of logins) {
      answers += (await hooks.authenticate(authRequest(name, password))) === ALLOW ? '+' : '-';
    }
    assert.equal(answers, expected);
    assert.equal(hooks.hasAuthorize, false);
    // Every refusal says why.
    assert.equal(lines.length, [...expected].filter((answer) => answer === '-').length);
    for (const line of lines) assert.match(line, /^information Client client \[127\.0\.0\.1:50000\] is refused: .+\.$/);
  });
}

test('an ACL file decides on topics, at once and for the cache; bad files name themselves', (context) => {
  const aclFile = path.join(scratch(context), 'acl');
  writeFileSync(aclFile, 'topic read a\n');
  const { log } = keptLog();
  const options = { allowAnonymous: true, passwordFile: null, aclFile };
  const hooks = new HookSet(securityPlugins(options, log), (_plugin, _point, error) => assert.fail(String(error)));
  assert.deepEqual([hooks.hasAuthorize, hooks.authorizeIsCacheable], [true, true]);
  assert.equal(hooks.authorize(hookClient('c'), READ, 'a'), ALLOW);
  writeFileSync(aclFile, 'topic read b\ntopic none c\n');
  const [failure, ...more] = hooks.prepareReload().failures;
  assert.match(String(failure?.sentence), /^Error: Invalid topic access type "none" in acl_file ".*acl", line 2/);
  assert.deepEqual(more, []);
  assert.equal(hooks.authorize(hookClient('c'), READ, 'b'), DENY);
  assert.throws(() => securityPlugins(options, log), /line 2/);
  assert.throws(() => securityPlugins({ ...options, aclFile: null, passwordFile: '/nowhere' }, log), {
    message: 'Error: Unable to open password file "/nowhere": No such file or directory.',
    option: 'passwordFile',
  });
});
