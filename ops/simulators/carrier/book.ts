import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

/** The durable memory of the carrier. Everything here is synchronous: one request runs to its commit before the next. */
export type Book = {
  readonly get: <Row>(sql: string, ...values: SQLInputValue[]) => Row | undefined;
  readonly all: <Row>(sql: string, ...values: SQLInputValue[]) => Row[];
  /** Answers the number of rows changed. */
  readonly run: (sql: string, ...values: SQLInputValue[]) => number;
  /** All or nothing, on disk when it returns. */
  readonly transaction: <Answer>(work: () => Answer) => Answer;
  /** Leaves nothing in the files of what was overwritten before. */
  readonly scrub: () => void;
  readonly close: () => void;
};

/** `durable: false` leaves out the wait for the disk; a killed process loses nothing then either, a power cut may. */
export const openBook = (file: string, durable: boolean): Book => {
  const db = new DatabaseSync(file, { timeout: 5000 });
  // secure_delete overwrites what an erasure blanks, so that no address stays behind in a free page.
  db.exec(
    `pragma journal_mode = wal; pragma synchronous = ${durable ? 'full' : 'normal'};
     pragma foreign_keys = on; pragma secure_delete = on`,
  );
  db.exec(readFileSync(new URL('./schema.sql', import.meta.url), 'utf8'));

  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };

  return {
    get: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).get(...values) as Row | undefined,
    all: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values) as Row[],
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    transaction: (work) => {
      db.exec('begin immediate');
      try {
        const answer = work();
        db.exec('commit');
        return answer;
      } catch (error) {
        db.exec('rollback');
        throw error;
      }
    },
    scrub: () => db.exec('pragma wal_checkpoint(truncate)'),
    close: () => db.close(),
  };
};

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** An id in the carrier's style, such as `cs_` and 24 letters and digits. */
export const newId = (prefix: string): string =>
  prefix + [...randomBytes(24)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
