// A session is one sign-in on one device: a family of refresh tokens that follow one another. Each is used once. One
// that comes back later was copied by somebody, and nobody can tell who of the two is the owner: the family ends.

/** milliseconds without use after which a session is over */
export const sessionLifeMs = 30 * 24 * 60 * 60 * 1000;

/** milliseconds in which the same token may come twice from one client, by a repeated or parallel request */
const graceMs = 10_000;

export type PresentedToken = {
  readonly userId: string;
  readonly sessionId: string;
  readonly usedAt: Date | null;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  /** the database's clock, by which all the others were set */
  readonly now: Date;
};

export type EndReason = 'LOGOUT' | 'EVERYWHERE' | 'REUSE';

/** `current` can be exchanged; `raced` was exchanged a moment ago; `reused` long ago; `over` is of no use to anybody. */
export type Verdict = 'current' | 'raced' | 'reused' | 'over';

export const judge = (token: PresentedToken | null): Verdict => {
  if (!token || token.endedAt || token.expiresAt <= token.now) return 'over';
  if (!token.usedAt) return 'current';
  return token.now.getTime() - token.usedAt.getTime() <= graceMs ? 'raced' : 'reused';
};
