/**
 * The demo shop's goods, customers and order history, read from the three files in `data/`. What is in the files and
 * by which rules stands in extract.ts; texts, shelves and weights are made here from each good's description.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { categories, categoryOf } from './categories.ts';
import { weightGrams } from './weight.ts';
import { facts, productName, productText, spelledOut } from './wording.ts';

export type Good = {
  /** Stock code in upper case; unique. */
  readonly sku: string;
  /** Not unique: some codes are sizes or batches of the same thing. Make slugs from name and SKU. */
  readonly name: string;
  readonly description: string;
  /** Pence sterling, VAT included. */
  readonly priceMinor: number;
  /** A shelf of categories.ts, never a department. */
  readonly categorySlug: string;
  readonly weightGrams: number;
  readonly material: string | null;
  readonly colours: readonly string[];
  /** Pieces in the set or pack. */
  readonly pieces: number;
  /** Lines of real sales in ten months: how popular it is. */
  readonly soldLines: number;
};

export type Customer = {
  /** Five digits, `17850`. */
  readonly number: string;
  /** As the source writes it, `EIRE`; people.ts has the ISO code. */
  readonly country: string;
  readonly firstInvoiceAt: Date;
  readonly invoices: number;
};

export type InvoiceLine = {
  readonly sku: string;
  readonly quantity: number;
  /** Pence sterling for one piece; often below the list price, for this was a wholesaler. */
  readonly unitPriceMinor: number;
};

export type Invoice = {
  /** Six digits, unique. */
  readonly number: string;
  readonly placedAt: Date;
  /** Null for a guest. */
  readonly customer: string | null;
  readonly country: string;
  /** At least one. A good may stand on several lines, at several prices. */
  readonly lines: readonly InvoiceLine[];
};

/** British Summer Time of 2011; the data begin and end within these two winters. */
const summerBegins = Date.UTC(2011, 2, 27, 1);
const summerEnds = Date.UTC(2011, 9, 30, 1);

/** The moment meant by a London clock showing `2011-07-01 09:30`. The shop never sold in the doubtful night hours. */
export const fromLondon = (clock: string): Date => {
  const asUtc = Date.parse(`${clock.replace(' ', 'T')}:00.000Z`);
  const inSummer = asUtc - 3_600_000;
  return new Date(inSummer >= summerBegins && inSummer < summerEnds ? inSummer : asUtc);
};

/** Rows of a file as fields. The text is split row by row, so that a caller may stop early. */
function* rows(file: string): Generator<string[]> {
  const text = gunzipSync(readFileSync(new URL(`./data/${file}`, import.meta.url))).toString('utf8');
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    yield text.slice(from, end).split('\t');
    from = end + 1;
  }
}

/** All 3,630 goods, by SKU. */
export const goods = (): Good[] => {
  const shelfNames = new Map(categories.map((category) => [category.slug, category.name]));
  return Array.from(rows('goods.tsv.gz'), ([sku = '', raw = '', price, sold]) => {
    const spelled = spelledOut(raw);
    const name = productName(spelled);
    const categorySlug = categoryOf(raw);
    const about = {
      ...facts(spelled),
      weightGrams: weightGrams(raw, categorySlug),
      soldLines: Number(sold),
    };
    const shelf = shelfNames.get(categorySlug) ?? categorySlug;
    return {
      sku,
      name,
      description: productText(name, { ...about, shelf }),
      priceMinor: Number(price),
      categorySlug,
      ...about,
    };
  });
};

/** The 3,613 customers with a real sale, by number. People with names and addresses are made of them in people.ts. */
export const customers = (): Customer[] =>
  Array.from(rows('customers.tsv.gz'), ([number = '', country = '', first = '', invoices]) => ({
    number,
    country,
    firstInvoiceAt: fromLondon(first),
    invoices: Number(invoices),
  }));

/** The 14,201 real sales, by invoice number, which is nearly the order of time; made one by one as they are asked for. */
export function* invoices(): Generator<Invoice> {
  for (const [number = '', time = '', customer = '', country = '', sold = ''] of rows('invoices.tsv.gz')) {
    const lines = sold.split(' ').map((line): InvoiceLine => {
      const [sku = '', quantity, price] = line.split(',');
      return { sku, quantity: Number(quantity), unitPriceMinor: Number(price) };
    });
    yield { number, placedAt: fromLondon(time), customer: customer || null, country, lines };
  }
}
