// A request to a subgraph as the executor writes it: {"query":"…","variables":{…}}, without blanks, the variables last.
import { countAt, type Member, membersAt } from './slices.ts';

const start = '{"query":"';
// A quote inside of a JSON string has a backslash before it, so this is found at the end of the query only.
const marker = '","variables":{';

/**
 * Where the query ends, its closing quote included: what comes before is the same for all requests of an operation.
 * -1 where there are no variables.
 */
export const endOfQuery = (body: string): number => {
  const at = body.startsWith(start) ? body.indexOf(marker, start.length) : -1;
  return at < 0 ? -1 : at + 1;
};

/** The text of the query. @param end what `endOfQuery` told */
export const queryIn = (body: string, end: number): string =>
  JSON.parse(body.slice(start.length - 1, end)) as string;

/** @param end what `endOfQuery` told */
export const variablesIn = (body: string, end: number): Member[] | null =>
  membersAt(body, end + marker.length - 2);

const mark = '[{"__typename":';

/**
 * How many entities a subgraph is asked about: the elements of all lists of representations, which are those variables
 * whose first element tells its type.
 */
export const entitiesIn = (body: string): number => {
  const end = endOfQuery(body);
  if (end < 0 || body.indexOf(mark, end) < 0) return 0;
  let count = 0;
  for (const { from } of variablesIn(body, end) ?? [])
    if (body.startsWith(mark, from)) count += countAt(body, from);
  return count;
};
