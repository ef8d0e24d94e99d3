import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

/** The durable memory of the provider. Everything here is synchronous: one request runs to its commit before the next. */
export type Book = {
  readonly get: <Row>(sql: string, ...values: SQLInputValue[]) => Row | undefined;
  readonly all: <Row>(sql: string, ...values: SQLInputValue[]) => Row[];
  /** Answers the number of rows changed. */
  readonly run: (sql: string, ...values: SQLInputValue[]) => number;
  /** All or nothing, on disk when it returns. */
  readonly transaction: <Answer>(work: () => Answer) => Answer;
  /** A part of a transaction that can fail alone. */
  readonly attempt: <Answer>(work: () => Answer) => Answer;
  readonly close: () => void;
};

/** `durable: false` leaves out the wait for the disk; a killed process loses nothing then either, a power cut may. */
export const openBook = (file: string, durable: boolean): Book => {
  const db = new DatabaseSync(file, { timeout: 5000 });
  db.exec(
    `pragma journal_mode = wal; pragma synchronous = ${durable ? 'full' : 'normal'}; pragma foreign_keys = on`,
  );
  db.exec(readFileSync(new URL('./schema.sql', import.meta.url), 'utf8'));

  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  const within = <Answer>(begin: string, commit: string, undo: string, work: () => Answer): Answer => {
    db.exec(begin);
    try {
      const answer = work();
      db.exec(commit);
      return answer;
    } catch (error) {
      db.exec(undo);
      throw error;
    }
  };

  return {
    get: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).get(...values) as Row | undefined,
    all: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values) as Row[],
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    transaction: (work) => within('begin immediate', 'commit', 'rollback', work),
    attempt: (work) => within('savepoint part', 'release part', 'rollback to part; release part', work),
    close: () => db.close(),
  };
};

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** An id in the provider's style, such as `pi_3` and 23 letters and digits. */
export const newId = (prefix: string, length = 24): string =>
  prefix + [...randomBytes(length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
