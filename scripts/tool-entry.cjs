#!/usr/bin/env node
// Starts mqtt-pub, mqtt-sub or mqtt-rr: the build copies this file under the name of each. The program stands beside it, and
// beside that what V8 made of it when it was built. With another Node, or where that is missing or damaged, V8 compiles the
// program as it does any other: then the start takes longer, and nothing else changes. (tool-programs.mjs has them written.)
'use strict';
const { readFileSync } = require('node:fs');
const { basename } = require('node:path');
const { Script } = require('node:vm');

/** Bytes in front of the code: enough for the head, and a multiple of eight. */
const HEAD_BYTES = 128;

const name = __filename.slice(0, -'.cjs'.length);
const program = `${name}-program.cjs`;
const source = readFileSync(program, 'latin1');

/**
 * The compiled code for this source and this Node, or undefined. V8 tells another version of itself by what is in there, but
 * a source by its length only, and it crashes on damaged code: so the file begins with the hash that stands in the source and
 * with the Node that made it, and holds the code twice (comparing takes a tenth of the time of any checksum).
 */
function compiledCode() {
  try {
    const file = readFileSync(`${name}.cache`);
    const head = `${source.slice(0, source.indexOf('(') + 1)} ${process.version} ${process.platform} ${process.arch}`;
    const middle = (HEAD_BYTES + file.length) / 2;
    const code = file.subarray(HEAD_BYTES, middle);
    const isOurs = file.latin1Slice(0, HEAD_BYTES) === head.padEnd(HEAD_BYTES) && code.equals(file.subarray(middle));
    return isOurs ? code : undefined;
  } catch {
    return undefined;
  }
}

// The compiled code holds the name that stack traces show: with a folder it would be that of the build.
const script = new Script(source, { filename: basename(program), cachedData: compiledCode() });
const load = (specifier) => import(specifier);
script.runInThisContext()(exports, require, module, program, __dirname, load);
