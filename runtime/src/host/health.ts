import { within } from '../time.ts';

/** Resolves when the dependency answers, rejects when it does not. */
export type Check = () => Promise<unknown>;

export type Health = {
  readonly ready: boolean;
  readonly dependencies: Readonly<Record<string, { ok: boolean; tookMs: number; error?: string }>>;
};

/** Every dependency asked at once, each with two seconds. */
export const checkHealth = async (checks: Readonly<Record<string, Check>>): Promise<Health> => {
  const states = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const began = performance.now();
      const took = () => Math.round(performance.now() - began);
      try {
        await within(2_000, name, check());
        return [name, { ok: true, tookMs: took() }] as const;
      } catch (error) {
        // The kind of failure, not its text: addresses and names are nobody's business outside.
        const code = (error as { code?: unknown }).code;
        return [
          name,
          { ok: false, tookMs: took(), error: typeof code === 'string' ? code : 'no answer' },
        ] as const;
      }
    }),
  );
  return { ready: states.every(([, state]) => state.ok), dependencies: Object.fromEntries(states) };
};
