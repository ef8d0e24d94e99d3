// What the four subgraphs of the bench know: the same on every machine, and small, so that nothing is measured but gateways.

export type User = {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly birthday: number;
};

export type Product = {
  readonly upc: string;
  readonly name: string;
  /** minor units */
  readonly price: number;
  /** grams */
  readonly weight: number;
  readonly inStock: boolean;
};

export type Review = {
  readonly id: string;
  readonly body: string;
  readonly upc: string;
  readonly userId: string;
};

export const users: readonly User[] = [
  { id: '1', name: 'Ada Brook', username: 'adabrk', birthday: 1990 },
  { id: '2', name: 'Bjarne Holm', username: 'bjarneh', birthday: 1984 },
  { id: '3', name: 'Carla Ruiz', username: 'carla-r', birthday: 1979 },
  { id: '4', name: 'Dmitri Wolf', username: 'dwolf', birthday: 2001 },
  { id: '5', name: 'Émilie Noël', username: 'emilie', birthday: 1995 },
  { id: '6', name: 'Farid Haddad', username: 'faridh', birthday: 1968 },
];

export const products: readonly Product[] = [
  { upc: '1', name: 'Table', price: 899, weight: 100, inStock: true },
  { upc: '2', name: 'Couch', price: 1299, weight: 1000, inStock: false },
  { upc: '3', name: 'Glass', price: 15, weight: 20, inStock: false },
  { upc: '4', name: 'Chair', price: 499, weight: 100, inStock: false },
  { upc: '5', name: 'Lamp “Söder”', price: 120, weight: 40, inStock: true },
  { upc: '6', name: 'Bookshelf', price: 649, weight: 300, inStock: true },
  { upc: '7', name: 'Rug', price: 210, weight: 80, inStock: true },
  { upc: '8', name: 'Mirror', price: 75, weight: 60, inStock: false },
  { upc: '9', name: 'Desk', price: 1040, weight: 450, inStock: true },
];

const opinions = [
  'Love it! It looks better than in the picture and has stood in our hall for a year without a scratch.',
  'Too expensive for what it is, and one screw was missing; the shop sent another within two days.',
  'Could be better, like so much in this life of ours.',
  'Prefer something else: the colour does not go with anything that we have at home, sadly.',
];

/** Product by product, by whom it was reviewed. */
const reviewers: Readonly<Record<string, readonly string[]>> = {
  '1': ['1', '2', '5', '4'],
  '2': ['1', '3', '6', '5'],
  '3': ['2', '4', '6'],
  '4': ['1', '6', '3'],
  '5': ['3', '4', '5'],
  '6': ['2', '5'],
  '7': ['6'],
  '8': ['4', '1'],
};

export const reviews: readonly Review[] = Object.entries(reviewers)
  .flatMap(([upc, ids]) => ids.map((userId) => ({ upc, userId })))
  .map((review, index) => ({ id: String(index + 1), body: opinions[index % opinions.length]!, ...review }));
