// How often somebody may try. Sliding windows over the attempts from one place; a refused attempt does not count, so
// waiting always helps and nobody is locked out of an account from elsewhere.

export type Attempt = {
  readonly at: Date;
  readonly isSameAccount: boolean;
  /** false while its password is being checked */
  readonly hasFailed: boolean;
};

export type Limit = {
  readonly most: number;
  readonly withinMs: number;
  readonly counts: (attempt: Attempt) => boolean;
};

const quarterHour = 15 * 60 * 1000;
const hour = 60 * 60 * 1000;

/** Those under way count against their own account, or a thousand guesses sent at once would all be heard. */
export const loginLimits: readonly Limit[] = [
  { most: 5, withinMs: quarterHour, counts: (attempt) => attempt.isSameAccount },
  { most: 20, withinMs: quarterHour, counts: (attempt) => attempt.hasFailed },
];

export const registrationLimits = (perHour: number): readonly Limit[] => [
  { most: perHour, withinMs: hour, counts: () => true },
];

/** milliseconds until another attempt is allowed; 0 where it is allowed now */
export const waitFor = (limits: readonly Limit[], attempts: readonly Attempt[], now: Date): number =>
  Math.max(
    ...limits.map(({ most, withinMs, counts }) => {
      const ages = attempts
        .filter(counts)
        .map((attempt) => now.getTime() - attempt.at.getTime())
        .sort((a, b) => a - b);
      // The window has room again when the oldest of the newest `most` leaves it.
      const deciding = ages[most - 1];
      return deciding === undefined ? 0 : Math.max(0, withinMs - deciding);
    }),
  );
