// Text that people type: tidied the same way everywhere, and every problem told at once.

export type InputProblem = { readonly path: string[]; readonly message: string };

export type InvalidInput = {
  readonly error: 'InvalidInput';
  readonly message: string;
  readonly problems: InputProblem[];
};

export const invalidInput = (problems: InputProblem[]): InvalidInput => ({
  error: 'InvalidInput',
  message: problems.map((problem) => problem.message).join(' '),
  problems,
});

// Line breaks, NUL and the marks that turn the direction of writing: none belongs on a label, and PostgreSQL takes no NUL.
const control = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** One form for what looks the same, without blanks around it. */
export const tidy = (text: string): string => text.normalize('NFC').trim();

/** in characters as people count them, not in UTF-16 units */
export const lengthOf = (text: string): number => [...text].length;

export type Line = { readonly name: string; readonly least: number; readonly most: number };

/** What is wrong with a tidied line of text, or null. */
export const problemOf = (text: string, { name, least, most }: Line): string | null => {
  // The first comparison keeps a megabyte from being taken apart; a character has two units at most.
  if (text.length > 2 * most || lengthOf(text) > most) return `${name} has ${most} characters at most.`;
  if (lengthOf(text) < least)
    return least === 1 ? `${name} is missing.` : `${name} has ${least} characters at least.`;
  if (!text.isWellFormed() || control.test(text)) return `${name} has characters that cannot be printed.`;
  return null;
};
