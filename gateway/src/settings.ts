// What the gateway reads from the environment.
import { platformSettings, port, readSettings } from '@orderstream/runtime/config';
import { z } from 'zod';

/** Pages that may call a gateway on a laptop: the web's own server, and Apollo Sandbox. */
const originsOnLaptops =
  'http://localhost:5173,http://127.0.0.1:5173,http://localhost:4173,http://127.0.0.1:4173,https://studio.apollographql.com';

const shape = platformSettings
  .pick({ NODE_ENV: true, HOST: true, GATEWAY_SECRET: true, TENANT_ID: true, LOG_LEVEL: true })
  .extend({
    PORT: port.default(4000),
    /** Where the subgraphs are hosted, each at /<name>/graphql. `<NAME>_URL` moves one of them elsewhere. */
    SUBGRAPHS_URL: z.url().default('http://127.0.0.1:4100'),
    /** Where the keys of access tokens are published; by default the users subgraph's. */
    JWKS_URL: z.url().optional(),
    /** Origins of web pages that may call, separated by commas. */
    ALLOWED_ORIGINS: z.string().optional(),
    /** `stock`: @apollo/gateway's own executor answers, to compare ours with. */
    EXECUTOR: z.enum(['own', 'stock']).default('own'),
    /** 1: the last entry of X-Forwarded-For and the trace come from a proxy of our own. */
    TRUST_PROXY: z
      .enum(['0', '1'])
      .default('0')
      .transform((value) => value === '1'),
  });

export type Settings = {
  readonly host: string;
  readonly port: number;
  readonly isProduction: boolean;
  readonly secret: string;
  readonly tenantId: string;
  readonly logLevel: string;
  readonly jwksUrl: URL;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly trustsProxy: boolean;
  readonly executor: 'own' | 'stock';
  /** the origin of the process that hosts a subgraph */
  readonly originOf: (subgraph: string) => string;
};

/** @throws ConfigError naming everything that is wrong */
export const gatewaySettings = (env: NodeJS.ProcessEnv): Settings => {
  const values = readSettings(env, shape);
  const isProduction = values.NODE_ENV === 'production';
  const originOf = (subgraph: string): string =>
    new URL(env[`${subgraph.toUpperCase().replaceAll('-', '_')}_URL`] || values.SUBGRAPHS_URL).origin;
  const origins = values.ALLOWED_ORIGINS ?? (isProduction ? '' : originsOnLaptops);
  return {
    host: values.HOST,
    port: values.PORT,
    isProduction,
    secret: values.GATEWAY_SECRET,
    tenantId: values.TENANT_ID,
    logLevel: values.LOG_LEVEL,
    jwksUrl: new URL(values.JWKS_URL ?? `${originOf('users')}/users/jwks`),
    allowedOrigins: new Set(origins.split(',').map((origin) => origin.trim())),
    trustsProxy: values.TRUST_PROXY,
    executor: values.EXECUTOR,
    originOf,
  };
};
