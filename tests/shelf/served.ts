// The shelf on a host, and requests to it as the gateway sends them.
import { randomUUID } from 'node:crypto';
import { type Host, host } from '@orderstream/runtime/host/host';
import { sign, signatureHeader, signingKey, viewerHeader } from '@orderstream/runtime/signature';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { inject } from 'vitest';
import { testDatabase } from '../database.ts';
import { shelf } from './shelf.ts';

export const path = '/shelf/graphql';
const secret = 's'.repeat(40);
export const key = signingKey(secret);
export const viewer: Viewer = { ...anonymous(randomUUID()), userId: randomUUID() };

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

export type Served = {
  readonly host: Host;
  readonly close: () => Promise<void>;
  readonly send: (body: string, headers?: Readonly<Record<string, string>>, to?: string) => Promise<Answer>;
  readonly ask: (request: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
};

export const signedHeaders = (body: string, now = new Date()): Record<string, string> => {
  const signed = sign(key, 'POST', path, viewer, body, now);
  return {
    'content-type': 'application/json',
    [viewerHeader]: signed.viewer,
    [signatureHeader]: signed.signature,
  };
};

export const serveShelf = async (env: NodeJS.ProcessEnv = {}): Promise<Served> => {
  const { databaseUrl, redisUrl, kafkaBrokers } = inject('services');
  const database = await testDatabase('fraud');
  const running = await host([shelf], {
    PORT: '0',
    DATABASE_URL: databaseUrl,
    SHELF_DATABASE_URL: database.url,
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers.join(','),
    KAFKA_PREFIX: `${randomUUID()}-`,
    REDIS_PREFIX: `${randomUUID()}:`,
    GATEWAY_SECRET: secret,
    LOG_LEVEL: 'silent',
    ...env,
  });
  const send: Served['send'] = async (body, headers = {}, to = path) => {
    const response = await fetch(running.url + to, { method: 'POST', body, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return {
    host: running,
    send,
    ask: (request, headers) => {
      const body = JSON.stringify(request);
      return send(body, { ...signedHeaders(body), ...headers });
    },
    close: async () => {
      await running.stop();
      await database.close();
    },
  };
};
