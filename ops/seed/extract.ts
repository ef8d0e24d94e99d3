/**
 * Makes the compact files of `data/` from the full Online Retail table, once:
 *
 *     node ops/seed/extract.ts path/to/transactions.csv.gz
 *
 * Same input, same bytes. The rules, each of them counted in online-retail.test.ts:
 *
 * - A sale is a line with quantity > 0, price > 0, an invoice number that is no cancellation (no leading C) and a
 *   goods code (five digits first; POST, DOT, M, BANK CHARGES, gift_0001_10 and DCGS… are none). That keeps 360,537
 *   of 370,931 lines, on 14,201 invoices, 13,081 of them with a customer. The line of 74,215 jars (invoice 541431)
 *   is kept: it was sold, and cancelled by another invoice minutes later.
 * - A good is one stock code in upper case: 15056bl and 15056BL are the same thing.
 * - Its description is the one most lines carry; between equals the longer, then the first in the alphabet.
 * - Its list price is the lower median of the unit prices of retail-size lines (fewer than twelve pieces, because
 *   wholesale prices begin at the dozen), or of all its lines where there is no such line. The lower median is a
 *   price that was really asked.
 * - An invoice has the time of its earliest line (38 were typed across the turn of a minute). Lines stay as they
 *   were, in order, also when a good stands on an invoice twice.
 * - A customer's country is the one of most of their invoices; between equals the earlier.
 */
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip, gzipSync } from 'node:zlib';

export type SaleLine = {
  readonly invoice: string;
  readonly sku: string;
  readonly description: string;
  readonly quantity: number;
  /** Local time of the shop, `2010-12-01 08:26`. */
  readonly time: string;
  /** Pence. */
  readonly priceMinor: number;
  /** Empty for a guest. */
  readonly customer: string;
  readonly country: string;
};

const columns = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

/** The fields of one CSV record. No field of the table contains a line break. */
export const fields = (record: string): string[] => {
  if (!record.includes('"')) return record.split(',');
  return [...record.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
};

/** The record as a sale, or nothing when it is a cancellation, a correction, a gift, a fee or postage. */
export const sale = (record: string): SaleLine | undefined => {
  const [invoice = '', code = '', description = '', quantity, time = '', price, customer = '', country = ''] =
    fields(record);
  const isSale = Number(quantity) > 0 && Number(price) > 0 && !invoice.startsWith('C') && /^\d{5}/.test(code);
  if (!isSale) return undefined;
  return {
    invoice,
    sku: code.toUpperCase(),
    description: description.trim().replace(/\s+/g, ' '),
    quantity: Number(quantity),
    time: time.slice(0, 16),
    priceMinor: Math.round(Number(price) * 100),
    customer,
    country,
  };
};

/** The key counted most often; between equals the one `prefer` puts first. */
const mostFrequent = (keys: readonly string[], prefer: (a: string, b: string) => number): string => {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || prefer(a, b))[0]?.[0] ?? '';
};

const alphabetically = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export const description = (lines: readonly SaleLine[]): string =>
  mostFrequent(
    lines.map((line) => line.description),
    (a, b) => b.length - a.length || alphabetically(a, b),
  );

const retailPieces = 11;

export const listPrice = (lines: readonly SaleLine[]): number => {
  const retail = lines.filter((line) => line.quantity <= retailPieces);
  const prices = (retail.length > 0 ? retail : lines).map((line) => line.priceMinor).sort((a, b) => a - b);
  return prices[Math.floor((prices.length - 1) / 2)] ?? 0;
};

const goodsTable = (lines: readonly SaleLine[]): string[] =>
  [...Map.groupBy(lines, (line) => line.sku)]
    .sort(([a], [b]) => alphabetically(a, b))
    .map(([sku, own]) => [sku, description(own), listPrice(own), own.length].join('\t'));

const invoiceTable = (lines: readonly SaleLine[]): string[] =>
  [...Map.groupBy(lines, (line) => line.invoice)]
    .sort(([a], [b]) => alphabetically(a, b))
    .map(([invoice, own]) => {
      const time = own.map((line) => line.time).sort(alphabetically)[0];
      const sold = own.map((line) => `${line.sku},${line.quantity},${line.priceMinor}`).join(' ');
      return [invoice, time, own[0]?.customer, own[0]?.country, sold].join('\t');
    });

const customerTable = (lines: readonly SaleLine[]): string[] =>
  [
    ...Map.groupBy(
      lines.filter((line) => line.customer !== ''),
      (line) => line.customer,
    ),
  ]
    .sort(([a], [b]) => alphabetically(a, b))
    .map(([customer, own]) => {
      const invoices = [...Map.groupBy(own, (line) => line.invoice).values()].map((of) => of[0]!);
      invoices.sort((a, b) => alphabetically(a.time, b.time) || alphabetically(a.invoice, b.invoice));
      // Map order is time order here and Array.sort is stable, so that equals stay earliest first.
      const country = mostFrequent(
        invoices.map((line) => line.country),
        () => 0,
      );
      return [customer, country, invoices[0]?.time, invoices.length].join('\t');
    });

const salesOf = async (path: string): Promise<SaleLine[]> => {
  const lines: SaleLine[] = [];
  let header: string | undefined;
  for await (const record of createInterface({ input: createReadStream(path).pipe(createGunzip()) })) {
    if (header === undefined) {
      header = record;
      if (header !== columns)
        throw new Error(`${path} is not the Online Retail table: it begins with ${header}`);
      continue;
    }
    const line = sale(record);
    if (line) lines.push(line);
  }
  return lines;
};

if (import.meta.main) {
  const source = process.argv[2];
  if (!source) throw new Error('Say where the table is: node ops/seed/extract.ts transactions.csv.gz');
  const lines = await salesOf(source);
  const folder = new URL('./data/', import.meta.url);
  await mkdir(folder, { recursive: true });
  const tables = {
    'goods.tsv.gz': goodsTable(lines),
    'invoices.tsv.gz': invoiceTable(lines),
    'customers.tsv.gz': customerTable(lines),
  };
  for (const [name, rows] of Object.entries(tables)) {
    const bytes = gzipSync(`${rows.join('\n')}\n`, { level: 9 });
    await writeFile(new URL(name, folder), bytes);
    console.log(`${name}: ${rows.length} rows, ${bytes.length} bytes`);
  }
}
