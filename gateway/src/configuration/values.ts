// The small things that settings are made of, each with the sentence that a wrong one is answered with.
import { z } from 'zod';

const timeUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const sizeUnits: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };

const measured = (units: Readonly<Record<string, number>>, error: string) => {
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?) ?(${Object.keys(units).join('|')})$`);
  return z
    .string({ error })
    .regex(pattern, { error })
    .transform((text) => {
      const [, amount, unit] = pattern.exec(text)!;
      return Math.round(Number(amount) * units[unit!]!);
    });
};

/** milliseconds */
export const time = measured(timeUnits, 'needs a time such as 500ms, 5s, 2m, 1h or 1d');

/** bytes */
export const size = measured(sizeUnits, 'needs a size such as 512B, 64KiB or 16MiB');

export const count = z
  .int({ error: 'needs a whole number, 1 or more' })
  .min(1, { error: 'needs a whole number, 1 or more' });

export const countOrNone = z
  .int({ error: 'needs a whole number, 0 or more' })
  .min(0, { error: 'needs a whole number, 0 or more' });

export const share = z
  .number({ error: 'needs a number from 0 to 1' })
  .min(0, { error: 'needs a number from 0 to 1' })
  .max(1, { error: 'needs a number from 0 to 1' });

export const flag = z.boolean({ error: 'needs true or false' });

export const text = z.string({ error: 'needs text' }).min(1, { error: 'needs text' });

export const webAddress = z.url({
  protocol: /^https?$/,
  error: 'needs an address that begins with http:// or https://',
});

/** Where a subgraph is: on the network, or at a socket of this machine. */
export const subgraphAddress = z
  .string({ error: 'needs an address: http://, https:// or unix:/path.sock:/graphql' })
  .refine(
    (value) => /^unix:\/[^:]+(:\/.*)?$/.test(value) || (/^https?:\/\//.test(value) && URL.canParse(value)),
    {
      error: 'needs an address: http://, https:// or unix:/path.sock:/graphql',
    },
  );

/** A path of an HTTP request. */
export const httpPath = z
  .string({ error: 'needs a path that begins with /' })
  .regex(/^\/[\w\-./~]*$/, { error: 'needs a path that begins with /' });

export const headerName = z
  .string({ error: 'needs the name of a header' })
  .regex(/^[!#$%&'*+\-.^_`|~\w]+$/, { error: 'needs the name of a header' })
  .transform((name) => name.toLowerCase());

export const isEachOnce = <T>(all: readonly T[], of: (one: T) => unknown): boolean =>
  new Set(all.map(of)).size === all.length;

/** A part of the file that may be left out as a whole: each of its settings then has its default. */
export const section = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, { error: sectionError }).prefault({} as never);

/** Unknown keys are told one by one where the file is read; all else is no section at all. */
const sectionError = (issue: { readonly code?: string }): string | undefined =>
  issue.code === 'invalid_type' ? 'needs settings below it' : undefined;

export const part = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, { error: sectionError });
