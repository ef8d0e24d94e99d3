/** Rows into a table by COPY, one statement for all of them: what lets a demo shop open in seconds. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';

/** Dates go in as UTC, objects and arrays as JSON. SQL arrays are written by the caller: '{a,b}'. */
export type Cell = string | number | boolean | null | Date | object;

const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

const escaped = (text: string) =>
  /[\\\t\n\r]/.test(text) ? text.replace(/[\\\t\n\r]/g, (c) => escapes[c]!) : text;

/** One value in COPY's text format. The NUL character cannot be stored in text; PostgreSQL refuses it with 22021. */
const copyText = (cell: Cell): string => {
  if (cell === null) return '\\N';
  if (typeof cell === 'string') return escaped(cell);
  if (cell instanceof Date) return cell.toISOString();
  if (typeof cell === 'object') return escaped(JSON.stringify(cell));
  return String(cell);
};

/** A row as COPY reads it. */
const cells = (...values: readonly Cell[]): string => values.map(copyText).join('\t');

/** Chunks of some 64 kB: a chunk a row costs more in the stream than in the row. */
function* chunks(lines: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < 65_536) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

const quoted = (name: string) => name.split('.').map(pg.escapeIdentifier).join('.');

/** As `copyRows`, of rows that are text already: made by `cells`, with tabs between. */
const copyLines = async (
  client: pg.ClientBase,
  table: string,
  columns: readonly string[],
  lines: Iterable<string>,
): Promise<number> => {
  const names = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  const copy = client.query(from(`copy ${quoted(table)} (${names}) from stdin`));
  await pipeline(Readable.from(chunks(lines)), copy);
  return copy.rowCount;
};

function* linesOf(rows: Iterable<readonly Cell[]>): Generator<string> {
  for (const row of rows) yield cells(...row);
}

/**
 * Writes all rows with one COPY and answers how many there were. Rows are drawn only as fast as the server takes
 * them, so an endless generator needs no memory. All or nothing: when a row is refused or the iterable throws, nothing
 * of it is stored and the connection can be used again. `table` may carry a schema, `public.orders`.
 */
export const copyRows = (
  client: pg.ClientBase,
  table: string,
  columns: readonly string[],
  rows: Iterable<readonly Cell[]>,
): Promise<number> => copyLines(client, table, columns, linesOf(rows));

/** All of it or nothing. */
export const inTransaction = async <T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> => {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
};
