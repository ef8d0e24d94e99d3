// How ours is configured for the bench: everything on that is on by default (limits, metrics, access log), and what the
// peers have no bounds for is bounded more widely. Cost and listing are counted all the same.

type Subgraphs = { readonly sharing: 'never' | 'always' };

export const configurationOf = ({ sharing }: Subgraphs): string =>
  JSON.stringify({
    subgraphs: { all: { pool: { sharing } } },
    headers: { all: [{ forward: 'authorization' }] },
    limits: { repeats: 10_000, cost: { anonymous: 1_000_000_000, signedIn: 1_000_000_000 } },
  });
