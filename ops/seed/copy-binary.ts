/**
 * Rows for COPY in PostgreSQL's binary format ("COPY, Binary Format" in its manual): for millions of rows, as neither side
 * spells numbers, times and ids out and reads them again. The caller writes as many values as a row has columns, each in
 * its column's type; the server refuses a row with others.
 */
import { once } from 'node:events';
import pg from 'pg';
import { from } from 'pg-copy-streams';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const none = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** PostgreSQL counts microseconds from here. */
const millennium = Date.UTC(2000, 0, 1);

const hexDigits = new Uint8Array(128);
for (let digit = 0; digit < 16; digit++) hexDigits[digit.toString(16).charCodeAt(0)] = digit;

/** The 16 bytes of a uuid in its usual spelling, in lower case. */
export const uuidBytes = (uuid: string): Uint8Array => {
  const bytes = new Uint8Array(16);
  for (let at = 0, from = 0; at < 16; at++, from += 2) {
    if (uuid.charCodeAt(from) === 45) from += 1;
    bytes[at] = (hexDigits[uuid.charCodeAt(from)]! << 4) | hexDigits[uuid.charCodeAt(from + 1)]!;
  }
  return bytes;
};

/** A text, or nothing, as it stands in a row: for what many rows share. */
export const textField = (text: string | null): Buffer => {
  if (text === null) return none;
  const bytes = Buffer.from(text);
  const length = Buffer.allocUnsafe(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

export const uuidField = (uuid: string | null): Buffer =>
  uuid === null ? none : Buffer.concat([Buffer.from([0, 0, 0, 16]), uuidBytes(uuid)]);

export class BinaryRows {
  readonly #columns: number;
  #bytes = Buffer.allocUnsafe(262_144);
  #at = signature.copy(this.#bytes);

  constructor(columns: number) {
    this.#columns = columns;
  }

  #room(size: number): void {
    if (this.#at + size + 2 <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + size + 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }

  #put32(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = value >>> 24;
    bytes[at++] = value >>> 16;
    bytes[at++] = value >>> 8;
    bytes[at++] = value;
    this.#at = at;
  }

  #put64(value: number): void {
    this.#put32(Math.floor(value / 2 ** 32));
    this.#put32(value >>> 0);
  }

  /** Begins a row; its values follow in the order of the columns. */
  row(): void {
    this.#room(2);
    this.#bytes[this.#at++] = this.#columns >>> 8;
    this.#bytes[this.#at++] = this.#columns;
  }

  /** One or more fields that were made before. */
  fields(made: Uint8Array): void {
    this.#room(made.length);
    this.#bytes.set(made, this.#at);
    this.#at += made.length;
  }

  uuid(bytes: Uint8Array): void {
    this.#room(20);
    this.#put32(16);
    this.#bytes.set(bytes, this.#at);
    this.#at += 16;
  }

  text(text: string): void {
    this.#room(4 + text.length * 3);
    const length = this.#bytes.write(text, this.#at + 4);
    this.#put32(length);
    this.#at += length;
  }

  smallint(value: number): void {
    this.#room(6);
    this.#put32(2);
    this.#bytes[this.#at++] = value >>> 8;
    this.#bytes[this.#at++] = value;
  }

  int(value: number): void {
    this.#room(8);
    this.#put32(4);
    this.#put32(value);
  }

  /** @param value a safe integer */
  bigint(value: number): void {
    this.#room(12);
    this.#put32(8);
    this.#put64(value);
  }

  /** @param atMs milliseconds since 1970, for a column of timestamptz */
  time(atMs: number): void {
    this.#room(12);
    this.#put32(8);
    this.#put64((atMs - millennium) * 1_000);
  }

  /** All of it, with the mark that ends it. */
  end(): Buffer {
    this.#room(2);
    this.#bytes[this.#at++] = 0xff;
    this.#bytes[this.#at++] = 0xff;
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Stores rows that were ended, all or none of them, and answers how many they were. */
export const copyBinary = async (
  client: pg.ClientBase,
  table: string,
  columns: readonly string[],
  bytes: Buffer,
): Promise<number> => {
  const names = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  const copy = client.query(
    from(`copy ${pg.escapeIdentifier(table)} (${names}) from stdin with (format binary)`),
  );
  const finished = once(copy, 'finish');
  copy.end(bytes);
  await finished;
  return copy.rowCount;
};
