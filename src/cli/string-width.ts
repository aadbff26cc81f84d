// Stands in for the package string-width inside our bundles. yargs brings it for the layout of its own help, which we do not
// print; the original makes an Intl.Segmenter when it is loaded, and that alone is a third of a tool's start.

/** Columns of a text without wide characters. */
function stringWidth(text: string): number {
  return text.length;
}

export { stringWidth as default };
