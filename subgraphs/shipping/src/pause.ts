/** milliseconds until the next attempt: 200, 400, … up to half a minute */
export const pauseAfter = (attempts: number): number =>
  Math.min(200 * 2 ** Math.min(attempts - 1, 10), 30_000);
