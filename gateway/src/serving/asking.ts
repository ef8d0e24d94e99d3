import type { IncomingHttpHeaders } from 'node:http';
import type { Trace } from '@orderstream/runtime/trace';
import type { Identity } from '../auth/identity.ts';
import type { Partner } from '../persisted/partners.ts';
import type { Visit } from '../telemetry/visit.ts';

/** One request, and on whose behalf it is made. */
export type Asking = {
  readonly visit: Visit;
  readonly trace: Trace;
  readonly headers: IncomingHttpHeaders;
  readonly identity: Identity;
  /** null where no key came with it */
  readonly partner: Partner | null;
  readonly address: string | null;
  /** the supergraph's that answers, which may go once all have left it */
  readonly era: { leave(): void };
  /** performance.now() at which nobody waits for the answer any more */
  readonly deadline: number;
};

/** A partner is known by its key, and has the scopes that were agreed on. */
export const asPartner = (identity: Identity, { scopes }: Partner): Identity => ({
  ...identity,
  isSignedIn: true,
  scopes: new Set([...identity.scopes, ...scopes]),
});
