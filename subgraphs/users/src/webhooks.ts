// The doors that are not GraphQL: the keys of access tokens, for anybody; and clients and what they ask, for gateways.
import type { Database } from '@orderstream/runtime/database';
import { RequestError } from '@orderstream/runtime/errors';
import { signatureHeader, signingKey, verify, viewerHeader } from '@orderstream/runtime/signature';
import type { Webhook, WebhookRequest } from '@orderstream/runtime/subgraph';
import { newTrace } from '@orderstream/runtime/trace';
import { z } from 'zod';
import { hearUsage } from './api-client-service.ts';
import { clientByPrefix, operationsOf } from './api-client-store.ts';
import type { Tokens } from './token.ts';

type Options = {
  readonly tokens: Pick<Tokens, 'jwks'>;
  readonly database: Database;
  /** GATEWAY_SECRET */
  readonly secret: string;
};

const asked = z.object({
  keyPrefix: z.string().max(100),
  /** the one that the gateway holds already */
  version: z.int().optional(),
});

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const told = z.object({
  id: z.uuid(),
  usage: z
    .array(
      z
        .object({ clientId: z.uuid(), day: z.iso.date(), requests: count, refused: count, cost: count })
        .refine(({ requests, refused }) => refused <= requests),
    )
    .max(1_000),
});

/** A door that opens to gateways alone: others have the secret too, but do not sign as one. */
const forGateways = <T>(
  key: ReturnType<typeof signingKey>,
  path: string,
  shape: z.ZodType<T>,
  maxBody: number,
  answer: (tenantId: string, body: T) => Promise<unknown>,
): Webhook => ({
  method: 'POST',
  path,
  maxBody,
  handle: async ({ headers, body, now }: WebhookRequest) => {
    const given = { viewer: headers[viewerHeader], signature: headers[signatureHeader] };
    const viewer = verify(key, 'POST', `/users/${path}`, given, body, now);
    if (viewer?.service !== 'gateway')
      throw new RequestError('UNAUTHENTICATED', 'This endpoint answers gateways only.');
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString());
    } catch (cause) {
      throw new RequestError('BAD_USER_INPUT', 'The body is not JSON.', { cause });
    }
    const read = shape.safeParse(parsed);
    if (!read.success) throw new RequestError('BAD_USER_INPUT', z.prettifyError(read.error));
    return { status: 200, body: await answer(viewer.tenantId, read.data) };
  },
});

/** `GET /users/jwks`: the keys by which anybody can tell our access tokens from made-up ones. */
export const keysDoor = ({ jwks }: Pick<Tokens, 'jwks'>): Webhook => ({
  method: 'GET',
  path: 'jwks',
  handle: async () => ({ status: 200, body: jwks, headers: { 'cache-control': 'public, max-age=300' } }),
});

export const createWebhooks = ({ tokens, database, secret }: Options): Webhook[] => {
  const key = signingKey(secret);
  return [
    keysDoor(tokens),
    // One client by the prefix of its key, null where there is none; its operations where they are not those held.
    forGateways(key, 'api-client', asked, 1_024, async (tenantId, { keyPrefix, version }) => {
      const client = await clientByPrefix(database, tenantId, keyPrefix);
      if (!client) return { client: null };
      const { id, name, keyHash, scopes, perMinute, perDay, costPerMinute } = client;
      // The row was read first: operations may be newer than the version said, never older.
      const operations = client.version === version ? null : await operationsOf(database, id);
      return {
        client: {
          id,
          name,
          keyPrefix,
          keyHash: keyHash.toString('hex'),
          scopes,
          perMinute,
          perDay,
          costPerMinute,
          version: client.version,
          operations,
        },
      };
    }),
    forGateways(key, 'api-client-usage', told, 256 * 1_024, async (tenantId, { id, usage }) => {
      const origin = { tenantId, traceparent: newTrace().traceparent, causationId: null };
      return {
        isNew: await database.for(origin).transaction((tx) => hearUsage(tx, tenantId, id, usage)),
      };
    }),
  ];
};
