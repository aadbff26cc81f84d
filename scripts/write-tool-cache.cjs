// node write-tool-cache.cjs PATH ARGUMENT…: runs the program PATH-program.cjs as tool-entry.cjs does, and writes PATH.cache at
// its end, when every function that was called has been compiled.
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { basename, dirname } = require('node:path');
const process = require('node:process');
const { Script } = require('node:vm');

/** As in tool-entry.cjs, with the rest of the head. */
const HEAD_BYTES = 128;

const [name] = process.argv.splice(2, 1);
const program = `${name}-program.cjs`;
const source = readFileSync(program, 'latin1');
const script = new Script(source, { filename: basename(program) });
process.on('exit', () => {
  const hash = source.slice(0, source.indexOf('(') + 1);
  const head = `${hash} ${process.version} ${process.platform} ${process.arch}`.padEnd(HEAD_BYTES);
  const code = script.createCachedData();
  writeFileSync(`${name}.cache`, Buffer.concat([Buffer.from(head), code, code]));
});
const load = (specifier) => import(specifier);
script.runInThisContext()(exports, createRequire(program), module, program, dirname(program), load);
