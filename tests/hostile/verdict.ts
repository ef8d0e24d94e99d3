// Whether an answer is the one that was owed.
import type { Expected } from './input.ts';
import type { Heard } from './raw-http.ts';

const codesIn = ({ text }: Heard): string[] => [
  ...new Set([...text.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code!)),
];

/** Names of files of ours, places of faults, and what only we should know. */
const indiscretion = /node_modules|\.[tj]s:\d+|\bat \w+ \(|"stack|Did you mean|INTERNAL/;

/** What is wrong with the answer, or null. */
export const problemWith = (heard: Heard, { status, codes, mayBeCut = false }: Expected): string | null => {
  const shown = heard.text.slice(0, 2_000);
  if (heard.status === null) {
    if (!heard.isClosed) return 'not answered in time';
    return mayBeCut ? null : `cut off without an answer: ${heard.error}`;
  }
  if (!status.includes(heard.status))
    return `answered with ${heard.status} instead of ${status.join(' or ')}: ${shown}`;
  const found = codesIn(heard);
  const strange = found.filter((code) => !codes.includes(code));
  if (strange.length > 0) return `answered with ${strange.join()} instead of ${codes.join(' or ')}: ${shown}`;
  if (heard.status >= 400 && found.length === 0) return `answered without a code: ${shown}`;
  return indiscretion.test(heard.text) ? `told what is nobody's business: ${shown}` : null;
};
