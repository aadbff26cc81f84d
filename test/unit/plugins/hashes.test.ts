import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  HASH_SCHEMES,
  type HashScheme,
  makeHash,
  parseStoredHash,
  verifyHash,
} from '../../../src/broker/plugins/hashes.ts';

/** Hashes that other programs made. */
const foreign: { from: string; scheme: HashScheme; password: string; stored: string }[] = [
  {
    from: 'mosquitto_passwd 2.0.11',
    scheme: 'sha512-pbkdf2',
    password: 'secret',
    stored:
      '$7$101$vAUzr3R4ssYltfJO$VzQaRjEqW1CfQP3uXh/jGp4V1RxfJ0/sCQKbeLKuhnFp3+sDLzmnHa6RQdCXfB951zlOJU6qY33nK7FPR8CSNQ==',
  },
  {
    from: 'mosquitto_passwd 2.0.11 -H sha512',
    scheme: 'sha512',
    password: 'secret',
    stored:
      '$6$lhQ8zRl7qB8Si62M$0oZ4BsZx6BQu4SWHaSmC7NwaQqxtUTmD6q8hFOETIYrA7Uu9FP0fisRUS69atxH5QEeOXo6Vvzr063XTtnmECQ==',
  },
  {
    from: 'the reference implementation of Argon2',
    scheme: 'argon2id',
    password: 'password',
    stored: '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  },
  {
    from: 'libxcrypt',
    scheme: 'bcrypt',
    password: 'secret',
    stored: '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
  },
  {
    from: 'libxcrypt',
    scheme: 'bcrypt',
    password: 'pässwörd€😀',
    stored: '$2y$04$abcdefghijklmnopqrstuufiRADj1exOQ2tuS1weDiQ1jvpW1Qy1e',
  },
  {
    from: 'libxcrypt',
    scheme: 'bcrypt',
    password: 'x'.repeat(72),
    stored: '$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i',
  },
  {
    from: 'libxcrypt',
    scheme: 'bcrypt',
    password: '',
    stored: '$2a$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq',
  },
];
for (const { from, scheme, password, stored } of foreign) {
  test(`a ${scheme} hash by ${from} is read: ${JSON.stringify(password.slice(0, 12))}`, async () => {
    const parsed = parseStoredHash(stored);
    assert.ok(typeof parsed !== 'string', String(parsed));
    assert.equal(parsed.scheme, scheme);
    assert.equal(await verifyHash(Buffer.from(password), stored), true);
    assert.equal(await verifyHash(Buffer.from(`${password}x`), stored), false);
    assert.equal(await verifyHash(Buffer.from(`X${password.slice(1)}`), stored), false);
  });
}

const cheapest: Record<HashScheme, number | undefined> = {
  bcrypt: 4,
  'sha512-pbkdf2': 1,
  sha512: undefined,
  argon2id: 1,
};
for (const scheme of HASH_SCHEMES) {
  test(`${scheme}: a made hash is checked, and no two are equal`, async () => {
    const password = Buffer.from('geheim €');
    const one = await makeHash(password, scheme, cheapest[scheme]);
    const two = await makeHash(password, scheme, cheapest[scheme]);
    assert.notEqual(one, two);
    assert.equal(await verifyHash(password, one), true);
    assert.equal(await verifyHash(Buffer.from('geheim'), one), false);
    assert.ok(!one.includes('geheim') && !one.includes(':'));
  });
}

test('the default is bcrypt, and defaults are those of the documented forms', async () => {
  assert.equal(HASH_SCHEMES[0], 'bcrypt');
  const password = Buffer.from('p');
  assert.match(await makeHash(password, 'bcrypt'), /^\$2b\$10\$/);
  assert.match(await makeHash(password, 'sha512-pbkdf2'), /^\$7\$1000\$[^$]{16}\$[^$]{88}$/);
  assert.match(await makeHash(password, 'sha512'), /^\$6\$[^$]{16}\$[^$]{88}$/);
  assert.match(await makeHash(password, 'argon2id'), /^\$argon2id\$v=19\$m=47104,t=1,p=1\$[^$=]{86}\$[^$=]{86}$/);
});

test('forms other than bcrypt take passwords of any bytes and length', async () => {
  const odd = Buffer.concat([Buffer.from([0, 0xff, 0xc3, 0]), Buffer.alloc(200, 0x61)]);
  for (const scheme of ['sha512', 'sha512-pbkdf2', 'argon2id'] as const) {
    const stored = await makeHash(odd, scheme, cheapest[scheme]);
    assert.equal(await verifyHash(odd, stored), true);
    assert.equal(await verifyHash(odd.subarray(0, -1), stored), false);
  }
});

test('bcrypt refuses what it can not tell apart, when making and when checking', async () => {
  const long = Buffer.alloc(73, 0x78);
  await assert.rejects(makeHash(long, 'bcrypt', 4), {
    message:
      'Error: The password is 73 bytes long, but bcrypt looks at 72 at most; use another form of hash, such as argon2id.',
  });
  const stored = await makeHash(long.subarray(0, 72), 'bcrypt', 4);
  assert.equal(await verifyHash(long, stored), false);
  assert.equal(await verifyHash(long.subarray(0, 72), stored), true);
  const withNul = Buffer.from('abc\0abc');
  await assert.rejects(makeHash(withNul, 'bcrypt', 4), /contains a NUL byte/);
  assert.equal(await verifyHash(withNul, await makeHash(Buffer.from('abc'), 'bcrypt', 4)), false);
  const notText = Buffer.from([0x61, 0xff]);
  await assert.rejects(makeHash(notText, 'bcrypt', 4), /not valid UTF-8/);
  assert.equal(await verifyHash(notText, await makeHash(Buffer.from('a\uFFFD'), 'bcrypt', 4)), false);
});

test('a measure of work outside the limits is refused before any work is done', async () => {
  const password = Buffer.from('p');
  const bad: [HashScheme, number, RegExp][] = [
    ['bcrypt', 3, /cost of bcrypt must be a whole number from 4 to 16, not 3/],
    ['bcrypt', 17, /from 4 to 16, not 17/],
    ['sha512-pbkdf2', 0, /number of iterations must be a whole number from 1 to 10000000, not 0/],
    ['sha512-pbkdf2', 1.5, /not 1.5/],
    ['sha512-pbkdf2', Number.NaN, /not NaN/],
    ['sha512-pbkdf2', 1e9, /not 1000000000/],
    ['argon2id', 90, /argon2id passes must be a whole number from 1 to 89, not 90/],
    ['sha512', 5, /A sha512 hash has no number of iterations/],
  ];
  for (const [scheme, cost, message] of bad) await assert.rejects(makeHash(password, scheme, cost), message);
});

const salt12 = Buffer.alloc(12, 1).toString('base64');
const salt64 = Buffer.alloc(64, 1).toString('base64');
const hash64 = Buffer.alloc(64, 2).toString('base64');
const argonSalt = 'c29tZXNhbHQ';
const argonHash = 'nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';

test('salts of 12 and of 64 bytes are read', () => {
  for (const salt of [salt12, salt64]) {
    assert.notEqual(typeof parseStoredHash(`$6$${salt}$${hash64}`), 'string');
    assert.notEqual(typeof parseStoredHash(`$7$101$${salt}$${hash64}`), 'string');
  }
});

const malformed: [stored: string, says: RegExp][] = [
  ['', /no known type/],
  ['secret', /no known type/],
  [`$5$${salt12}$${hash64}`, /no known type/],
  [`$argon2i$v=19$m=256,t=2,p=1$${argonSalt}$${argonHash}`, /no known type/],
  ['$6$', /not of the form/],
  [`$6$${salt12}`, /not of the form/],
  [`$6$${salt12}$${hash64}$x`, /not of the form/],
  [`$6$!!!!$${hash64}`, /salt that is not base64/],
  [`$6$$${hash64}`, /salt that is not base64/],
  [`$6$${salt12}$!`, /is not base64/],
  [`$6$${salt12}$`, /is not base64/],
  [`$6$${salt12}$AAAA`, /3 bytes long instead of 64/],
  [`$6$${Buffer.alloc(13).toString('base64')}$${hash64}`, /salt of 13 bytes instead of 12 or 64/],
  [`$7$${salt12}$${hash64}`, /not of the form/],
  [`$7$0$${salt12}$${hash64}`, /iterations/],
  [`$7$-1$${salt12}$${hash64}`, /iterations/],
  [`$7$x$${salt12}$${hash64}`, /iterations/],
  [`$7$10000001$${salt12}$${hash64}`, /iterations/],
  [`$7$99999999999999999999$${salt12}$${hash64}`, /iterations/],
  [`$argon2id$v=16$m=256,t=2,p=1$${argonSalt}$${argonHash}`, /not of the form/],
  [`$argon2id$v=19$m=1048577,t=1,p=1$${argonSalt}$${argonHash}`, /memory cost/],
  [`$argon2id$v=19$m=7,t=1,p=1$${argonSalt}$${argonHash}`, /memory cost/],
  [`$argon2id$v=19$m=1048576,t=5,p=1$${argonSalt}$${argonHash}`, /passes/],
  [`$argon2id$v=19$m=256,t=0,p=1$${argonSalt}$${argonHash}`, /passes/],
  [`$argon2id$v=19$m=4096,t=1,p=65$${argonSalt}$${argonHash}`, /lanes/],
  [`$argon2id$v=19$m=256,t=1,p=0$${argonSalt}$${argonHash}`, /lanes/],
  [`$argon2id$v=19$m=256,t=2,p=1$YQ$${argonHash}`, /salt/],
  [`$argon2id$v=19$m=256,t=2,p=1$${argonSalt}$AAAA`, /is not 16 to 128 bytes/],
  [`$argon2id$v=19$m=256,t=2,p=1$${argonSalt}$${argonHash}=`, /unpadded/],
  ['$2b$10$short', /not of the form/],
  [`$2b$03$${'a'.repeat(53)}`, /cost/],
  [`$2b$17$${'a'.repeat(53)}`, /cost/],
  [`$2b$10$${'a'.repeat(54)}`, /not of the form/],
  [`$2x$10$${'a'.repeat(53)}`, /no known type/],
];
for (const [stored, says] of malformed) {
  test(`refused: ${stored.slice(0, 44)}`, async () => {
    const fault = parseStoredHash(stored);
    assert.equal(typeof fault, 'string');
    assert.match(String(fault), says);
    await assert.rejects(verifyHash(Buffer.from('x'), stored), says);
  });
}
