// How a difference between what was seen and what should be is put into words.

/** Whether all parts stand in the whole in this order; others may stand between them. */
export const isWithin = <T>(parts: readonly T[], whole: readonly T[]): boolean => {
  let next = 0;
  for (const item of whole) if (next < parts.length && item === parts[next]) next += 1;
  return next === parts.length;
};

export const arrows = (items: readonly string[]): string => items.join(' → ') || 'nothing';

export const differsUnless = (isSo: boolean, difference: string): string[] => (isSo ? [] : [difference]);
