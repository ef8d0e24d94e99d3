// Binary strings: one character per byte of UTF-8. They stay one byte a character in memory and are read and written
// without being decoded; only who looks at the text itself needs these two.

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const beyondAscii = /[^\x00-\x7f]/;

export const toBinary = (text: string): string =>
  beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;

export const toText = (binary: string): string =>
  beyondAscii.test(binary) ? Buffer.from(binary, 'latin1').toString('utf8') : binary;
