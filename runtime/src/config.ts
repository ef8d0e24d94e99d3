// The only reader of the environment. Everything that is wrong is reported at once, by name.
import { z } from 'zod';

export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((p) => `  ${p}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** A secret of at least 32 characters. The start command generates them as `generated-…`; see `inProduction`. */
export const secret = (fallback: string) =>
  z
    .string()
    .min(32)
    .default(`default-${fallback}-${'0'.repeat(32)}`);

/** A port number; 0 lets the system choose. */
export const port = z.coerce.number().int().min(0).max(65_535);

const flag = z.enum(['0', '1']).transform((value) => value === '1');

export const platformSettings = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4100),
  DATABASE_URL: z.url().default('postgres://postgres@127.0.0.1:5432/postgres'),
  REDIS_URL: z.url().default('redis://127.0.0.1:6379'),
  KAFKA_BROKERS: z
    .string()
    .default('127.0.0.1:9092')
    .transform((text) => text.split(',').map((broker) => broker.trim())),
  /** Put before topic and group names, so that several installations share a cluster. */
  KAFKA_PREFIX: z.string().default(''),
  /** Put before cache keys and channels, for the same reason. */
  REDIS_PREFIX: z.string().default('os:'),
  GATEWAY_SECRET: secret('gateway'),
  TENANT_ID: z.uuid().default('01900000-0000-7000-8000-000000000001'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  /** 1: resolvers answer through @apollo/server only, never by the short way; for comparison in tests. */
  PLAIN_HOST: flag.default(false),
});

export type PlatformSettings = z.infer<typeof platformSettings>;

const isWeakSecret = (value: unknown): boolean =>
  typeof value === 'string' && (value.startsWith('default-') || value.includes('generated-'));

/** In production a generated or default secret is a problem; it would be the same on every laptop or stand on its disk. */
const inProduction = (values: Record<string, unknown>): string[] =>
  Object.keys(values)
    .filter((name) => isWeakSecret(values[name]))
    .map((name) => `${name}: production needs a secret of your own, not a generated or default one`);

/** The values that are right by themselves, whatever is wrong with the others. */
const readable = (given: NodeJS.ProcessEnv, { shape }: z.ZodObject<z.ZodRawShape>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(shape).map(([name, type]) => [name, z.safeParse(type, given[name]).data] as const),
  );

/**
 * Parses the environment against several groups of settings at once.
 * @throws ConfigError naming every variable that is wrong.
 */
export const readSettings = <T extends z.ZodRawShape>(env: NodeJS.ProcessEnv, shape: z.ZodObject<T>) => {
  // An empty variable means "not set", as in `.env` files.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = shape.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...(given.NODE_ENV === 'production' ? inProduction(readable(given, shape)) : []),
  ];
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  return parsed.data;
};

/** `<SUBGRAPH>_DATABASE_URL`, or the database `orderstream_<subgraph>` on the server of DATABASE_URL. */
export const databaseUrlOf = (env: NodeJS.ProcessEnv, serverUrl: string, subgraph: string): string => {
  const own = env[`${subgraph.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`];
  if (own) return own;
  const url = new URL(serverUrl);
  url.pathname = `/orderstream_${subgraph.replaceAll('-', '_')}`;
  return url.href;
};
