#!/usr/bin/env node
import process from 'node:process';
import { main } from '../src/cli/commands/sub.ts';

void main(process.argv.slice(2), process).then((code) => {
  process.exitCode = code;
});
