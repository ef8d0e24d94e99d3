// Passwords are kept as argon2id (19 MiB, two passes, one lane: OWASP's first choice). A check takes about 9 ms of a
// core, so few run at once and whoever signs in waits, while the rest of the process does not.
import { randomBytes } from 'node:crypto';
import argon2 from '@node-rs/argon2';
import { RequestError } from '@orderstream/runtime/errors';

const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** hashes at a time: each holds 19 MiB and a thread of the four that also read files */
const atOnce = 2;
/** waiting beyond these would be longer than any client waits */
const mostWaiting = 300;

export type Passwords = {
  readonly hash: (password: string) => Promise<string>;
  /** Takes as long without a hash as with one, so that the time does not tell whether there is an account. */
  readonly matches: (password: string, hash: string | null) => Promise<boolean>;
};

export type Argon = Pick<typeof argon2, 'hash' | 'verify'>;

/** @throws RequestError RATE_LIMITED from its functions when too many are waiting already */
export const openPasswords = async (argon: Argon = argon2): Promise<Passwords> => {
  const nobodys = await argon.hash(randomBytes(32), cost);
  const waiting: (() => void)[] = [];
  let running = 0;

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (waiting.length >= mostWaiting)
        throw new RequestError('RATE_LIMITED', 'Too many people sign in just now.', { retryAfterMs: 1_000 });
      // Whoever ends hands its place over; it is never free in between.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };

  return {
    hash: (password) => inTurn(() => argon.hash(password, cost)),
    matches: async (password, hash) => {
      const isRight = await inTurn(() => argon.verify(hash ?? nobodys, password));
      return isRight && hash !== null;
    },
  };
};
