export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Rejects when `work` has not answered in time; the work itself goes on unheard. */
export const within = async <T>(ms: number, what: string, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

export type Wakeable = { readonly wake: () => void; readonly stop: () => Promise<void> };

/**
 * A loop that runs `turn` again at once while it answers more than 0, else after `idleMs` or when woken. An error is
 * told to `onError` and followed by growing pauses, 100 ms up to 5 s.
 */
export const loop = (
  turn: () => Promise<number>,
  options: { readonly idleMs: number; readonly onError: (error: unknown) => void },
): Wakeable => {
  let stopped = false;
  let woken = false;
  let rouse: (() => void) | undefined;
  let failures = 0;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        rouse = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      rouse = done;
    });

  const running = (async () => {
    while (!stopped) {
      let did = 0;
      woken = false;
      try {
        did = await turn();
        failures = 0;
      } catch (error) {
        if (stopped) return;
        failures += 1;
        options.onError(error);
        // A wake-up does not shorten this pause: what is broken is not asked more often.
        await sleep(Math.min(100 * 2 ** (failures - 1), 5_000) * (0.5 + Math.random() / 2));
        continue;
      }
      if (did === 0 && !woken && !stopped) await pause(options.idleMs);
    }
  })();

  return {
    wake: () => {
      woken = true;
      rouse?.();
    },
    stop: async () => {
      stopped = true;
      rouse?.();
      await running;
    },
  };
};
