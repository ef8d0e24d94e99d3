// What the contenders are asked.

export type QueryName = 'small' | 'medium' | 'big';

export type Question = {
  readonly text: string;
  /** how many ask at the same time */
  readonly connections: number;
  /** the largest number of requests to warm a contender with */
  readonly warmUp: number;
};

/** One call to one subgraph. */
const small = '{ me { id username birthday } }';

/** Four calls to four subgraphs, two of them at the same time. */
const medium = `query Medium {
  topProducts(first: 7) {
    upc name price weight inStock shippingEstimate
    reviews { id body author { id name username birthday } }
  }
}`;

/** The shape of the public benchmark of federation gateways: people and goods through each other's reviews, four deep. */
const big = `fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }
query Big {
  users {
    ...User
    reviews {
      ...Review
      product {
        ...Product
        reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
      }
    }
  }
  topProducts {
    ...Product
    reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
  }
}`;

export const questions: Readonly<Record<QueryName, Question>> = {
  small: { text: small, connections: 32, warmUp: 25_000 },
  medium: { text: medium, connections: 16, warmUp: 12_000 },
  big: { text: big, connections: 8, warmUp: 4_000 },
};
