// What the bundles take for yargs/helpers: its parser without the platform layer that stands beside it there, which loads
// modules that no tool needs and can't be part of a CommonJS file.
export { default as Parser } from 'yargs-parser';
