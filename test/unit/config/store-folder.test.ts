import assert from 'node:assert/strict';
import { it } from 'node:test';
import { storeFolder } from '../../../src/config/store-folder.ts';
import { load } from './config-files.ts';

const CASES: readonly (readonly [string, string])[] = [
  ['', 'mosquitto.store'],
  ['persistence_location /var/lib/mosquitto/\n', '/var/lib/mosquitto/mosquitto.store'],
  ['persistence_location /var/lib/mosquitto\npersistence_file other.db\n', '/var/lib/mosquitto/other.store'],
  ['persistence_location db\npersistence_file my data\n', 'db/my data.store'],
  ['persistence_file a.db.db\n', 'a.db.store'],
];

for (const [text, folder] of CASES) {
  it(`the folder of the store is ${folder} (${JSON.stringify(text)})`, () => {
    assert.equal(storeFolder(load(text).config.global), folder);
  });
}
