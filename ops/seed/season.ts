/**
 * When a shop sells: the twelve whole months before a day, by the clocks of London. November and December have 40 % of
 * the year, Black Friday (the day after the fourth Thursday of November) and the Monday after it five times what the other
 * days of these two months have; within each half of the year days are alike. 30 % of a day is sold between 19 and 22
 * o'clock, and the best hour sells ten times what the worst does.
 */

/** Per cent of a day's orders, hour by hour. */
const hourShares = [
  ...[1, 1, 1, 1, 1, 1],
  ...[1.5, 2.5, 3.5, 4.5, 5, 5.5],
  ...[6, 5.5, 5, 5, 5, 5.5],
  ...[6.5, 10, 10, 10, 2, 1],
] as const;

const holidayShare = 0.4;
const holidayFactor = 5;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The two days of a year with five times the sales, as UTC midnights. */
export const holidays = (year: number): readonly [blackFriday: number, cyberMonday: number] => {
  const first = Date.UTC(year, 10, 1);
  const firstThursday = (11 - new Date(first).getUTCDay()) % 7;
  const thanksgiving = first + (firstThursday + 21) * dayMs;
  return [thanksgiving + dayMs, thanksgiving + 4 * dayMs];
};

const lastSunday = (year: number, month: number): number => {
  const last = Date.UTC(year, month + 1, 0);
  return last - new Date(last).getUTCDay() * dayMs;
};

/** The moment when London's clocks show what `clock` shows in UTC. The hour that summer time skips is the one before. */
const londonTime = (clock: number): number => {
  const year = new Date(clock).getUTCFullYear();
  const isSummer = clock >= lastSunday(year, 2) + 2 * hourMs && clock < lastSunday(year, 9) + 2 * hourMs;
  return isSummer ? clock - hourMs : clock;
};

type Hour = { readonly from: number; readonly share: number; readonly before: number };

/** @param until the first of a month as UTC midnight: the day behind the last */
const hoursBefore = (until: number): Hour[] => {
  const end = new Date(until);
  const begin = Date.UTC(end.getUTCFullYear() - 1, end.getUTCMonth(), 1);
  const days = Array.from({ length: Math.round((until - begin) / dayMs) }, (_, day) => begin + day * dayMs);
  const isHolidaySeason = (day: number) => new Date(day).getUTCMonth() >= 10;
  const factorOf = (day: number) =>
    holidays(new Date(day).getUTCFullYear()).includes(day) ? holidayFactor : 1;
  const weights = (season: boolean) =>
    days.filter((day) => isHolidaySeason(day) === season).reduce((sum, day) => sum + factorOf(day), 0);
  const [holidayWeight, plainWeight] = [weights(true), weights(false)];
  let before = 0;
  return days.flatMap((day) => {
    const ofDay =
      factorOf(day) *
      (isHolidaySeason(day) ? holidayShare / holidayWeight : (1 - holidayShare) / plainWeight);
    return hourShares.map((percent, hour) => {
      const slot = { from: londonTime(day + hour * hourMs), share: (ofDay * percent) / 100, before };
      before += slot.share;
      return slot;
    });
  });
};

/**
 * The year's sales in their order: asked with rising fractions of the year's orders, answers when each was placed, in
 * milliseconds since 1970. Times rise as well, but for the hour in which clocks are put forward.
 */
export const seasonBefore = (until: number): ((fraction: number) => number) => {
  const hours = hoursBefore(until);
  let at = 0;
  return (fraction) => {
    while (at > 0 && hours[at]!.before > fraction) at -= 1;
    while (at < hours.length - 1 && hours[at + 1]!.before <= fraction) at += 1;
    const { from, share, before } = hours[at]!;
    return from + Math.floor(Math.min((fraction - before) / share, 0.999_999) * hourMs);
  };
};
