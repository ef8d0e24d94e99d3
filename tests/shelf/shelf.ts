// A subgraph of a few lines that can go wrong in every way a resolver can; the host's tests serve it.
import { RequestError, userError } from '@orderstream/runtime/errors';
import { references } from '@orderstream/runtime/host/references';
import { money } from '@orderstream/runtime/money';
import { type Context, originOf, subgraph, type Webhook } from '@orderstream/runtime/subgraph';
import { z } from 'zod';

type Book = { title: string; genre: 'NOVEL' | 'ESSAY'; pages: number | null; author: string };

const books: readonly Book[] = [
  { title: 'Emma', genre: 'NOVEL', pages: 474, author: 'Austen' },
  { title: 'Persuasion', genre: 'NOVEL', pages: null, author: 'Austen' },
  { title: 'Walden', genre: 'ESSAY', pages: 352, author: 'Thoreau' },
];
const bookOf = (title: string): Book | null => books.find((book) => book.title === title) ?? null;

/** The batches asked for entities, for tests that count them. */
export const batches: { readonly type: string; readonly keys: string[] }[] = [];

let counted = 0;

type Filter = { genre?: string | null; titles?: string[] | null; nested?: Filter | null };

const resolvers = {
  Query: {
    book: (_: unknown, { title }: { title: string }) => bookOf(title),
    books: (_: unknown, args: { first: number; genres?: string[] | null; filter?: Filter | null }) =>
      books
        .filter((book) => args.genres?.includes(book.genre) ?? true)
        .filter((book) => (args.filter?.genre ? book.genre === args.filter.genre : true))
        .filter((book) => args.filter?.titles?.includes(book.title) ?? true)
        .slice(0, args.first),
    strict: async () => books[0],
    things: async () => [books[0], { name: 'Thoreau' }, null, new Error('a bug in the list')],
    viewerId: (_: unknown, _args: unknown, ctx: Context) => ctx.viewer.userId,
    afterAMoment: async (_: unknown, _args: unknown, ctx: Context) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const [row] = await ctx.db.sql<{ one: number }>`select 1 as one`;
      return row!.one;
    },
    total: () => money(495, 'GBP'),
    now: (_: unknown, { at }: { at: Date }) => at,
  },
  Mutation: {
    lend: (
      _: unknown,
      { input }: { input: { title: string; days: number; lines?: { quantity: number }[] } },
    ) => {
      const book = bookOf(input.title);
      if (!book) return userError({ error: 'NotFound', path: ['input', 'title'] });
      const quantities = input.lines?.map((line) => line.quantity) ?? [];
      return { __typename: 'Lent', book, days: input.days, quantities };
    },
    explode: async () => {
      throw new TypeError('the password is hunter2');
    },
    count: async () => {
      counted += 1;
      return counted > 0 ? 1 : 0;
    },
  },
  Subscription: {
    ticks: {
      subscribe: async function* (_: unknown, { upTo }: { upTo: number }) {
        for (let ticks = 1; ticks <= upTo; ticks++) yield { ticks };
      },
    },
    buggy: {
      subscribe: async () => {
        throw new Error('the password is hunter2');
      },
    },
    refused: {
      subscribe: async () => {
        throw new RequestError('FORBIDDEN');
      },
    },
  },
  Book: {
    ...references(async (asked: readonly { __typename: string; title: string }[]) => {
      batches.push({ type: 'Book', keys: asked.map((one) => one.title) });
      if (asked.some((one) => one.title === 'burn')) throw new Error('the shelf is on fire');
      return asked.map((one) => (one.title === 'torn' ? new RequestError('FORBIDDEN') : bookOf(one.title)));
    }),
    author: async (book: Book) => ({ name: book.author }),
    broken: () => {
      throw new Error('the password is hunter2');
    },
    brokenStrict: async () => {
      throw new Error('the password is hunter2');
    },
    secret: () => {
      throw new RequestError('FORBIDDEN');
    },
    missing: () => null,
    late: () => new Promise((resolve) => setTimeout(resolve, 5, 'late')),
    grid: () => [[1, 2], null, [3]],
    holes: () => ['a', null, 'c'],
    echo: (_: Book, { text, n }: { text?: string | null; n: number }) => `${JSON.stringify(text)} ${n}`,
  },
  Author: {
    ...references(async (asked: readonly { __typename: string; name: string }[]) => {
      batches.push({ type: 'Author', keys: asked.map((one) => one.name) });
      return asked.map(({ name }) => Object.freeze({ name }));
    }),
    books: (author: { name: string }) => books.filter((book) => book.author === author.name),
  },
  Loner: {
    // Written as @apollo/subgraph has it, without a batch.
    __resolveReference: async ({ id }: { id: string }) => {
      if (id === 'gone') throw new RequestError('NOT_FOUND');
      return { id };
    },
  },
  Thing: { __resolveType: async (thing: object) => ('title' in thing ? 'Book' : 'Author') },
};

const webhooks: readonly Webhook[] = [
  {
    method: 'POST',
    path: 'returns',
    maxBody: 1_000,
    handle: async ({ body, headers }) => ({
      status: 202,
      body: { bytes: body.length, said: headers['x-said'] ?? null },
      headers: { 'x-shelf': 'yes' },
    }),
  },
  { method: 'GET', path: 'opening-hours', handle: async () => ({ status: 204 }) },
  {
    method: 'POST',
    path: 'broken',
    handle: async () => {
      throw new Error('the password is hunter2');
    },
  },
];

export const shelf = subgraph({
  name: 'shelf',
  folder: new URL('./', import.meta.url),
  settings: z.object({}),
  open: ({ database }) => ({
    resolvers,
    context: (parts) => ({ ...parts, loaders: {}, db: database.for(originOf(parts)) }),
    webhooks,
  }),
});
