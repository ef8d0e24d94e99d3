// How ours is configured for the bench: everything on that is on by default (limits, metrics, access log), and what the
// peers have no bounds for is bounded more widely. Cost and listing are counted all the same.
import { audience, issuer } from './tokens.ts';

type Wanted = {
  readonly sharing: 'never' | 'echoed';
  /** with the keys of who issues access tokens; otherwise what clients send is theirs and the subgraphs' affair */
  readonly keysFile?: string;
};

export const configurationOf = ({ sharing, keysFile }: Wanted): string =>
  JSON.stringify({
    subgraphs: { all: { pool: { sharing } } },
    headers: { all: [{ forward: 'authorization' }] },
    ...(keysFile && {
      auth: {
        issuers: [{ issuer, keys: { file: keysFile }, audiences: [audience], algorithms: ['EdDSA'] }],
      },
    }),
    // A machine that has other work to do is no reason to send anybody away.
    shedding: { loopDelay: '10s' },
    limits: { repeats: 10_000, cost: { anonymous: 1_000_000_000, signedIn: 1_000_000_000 } },
  });
