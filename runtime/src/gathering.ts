// What comes in at the same time by several ways is dealt with together: while one lot is under way the next gathers, so
// lots are small when it is calm and large under load, and nothing ever waits for a clock.

type Waiting<T> = {
  readonly item: T;
  readonly size: number;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
};

export type Gathering<T> = {
  /** Resolves when the lot with this in it is dealt with, and fails as the lot fails. */
  readonly add: (item: T, size: number) => Promise<void>;
};

/** @param most the size at which a lot is full; one item alone may be larger */
export const gathering = <T>(most: number, deal: (lot: readonly T[]) => Promise<void>): Gathering<T> => {
  let waiting: Waiting<T>[] = [];
  let isDealing = false;

  const nextLot = (): Waiting<T>[] => {
    let size = 0;
    const end = waiting.findIndex((one, index) => {
      size += one.size;
      return size > most && index > 0;
    });
    const lot = end < 0 ? waiting : waiting.slice(0, end);
    waiting = end < 0 ? [] : waiting.slice(end);
    return lot;
  };

  const dealWithAll = async (): Promise<void> => {
    if (isDealing) return;
    isDealing = true;
    // Whatever is handed over in the same turn belongs together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const lot = nextLot();
      try {
        await deal(lot.map(({ item }) => item));
        for (const { done } of lot) done();
      } catch (error) {
        for (const { failed } of lot) failed(error);
      }
    }
    isDealing = false;
  };

  return {
    add: (item, size) =>
      new Promise((done, failed) => {
        waiting.push({ item, size, done, failed });
        void dealWithAll();
      }),
  };
};
