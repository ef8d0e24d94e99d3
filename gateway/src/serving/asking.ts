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

/** Whose clients and subscriptions are counted together: a user's, or a partner's; null for nobody's. */
export const holderOf = ({ identity, partner }: Pick<Asking, 'identity' | 'partner'>): string | null =>
  identity.subject ?? (partner ? `partner ${partner.id}` : null);

const users = new WeakMap<Identity, string>();

/** For whom private answers are kept: the same person with the same rights. Null: for nobody. */
export const userOf = ({ identity }: Pick<Asking, 'identity'>): string | null => {
  const { issuer, subject, scopes, policies } = identity;
  if (subject === null) return null;
  const known = users.get(identity);
  if (known !== undefined) return known;
  const user = JSON.stringify([issuer, subject, [...scopes].sort(), [...policies].sort()]);
  users.set(identity, user);
  return user;
};
