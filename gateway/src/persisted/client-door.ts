// How a gateway asks the users subgraph about partners' programs, and tells it what they asked. Signed, as all that is
// asked of subgraphs.
import { sign, signatureHeader, signingKey, viewerHeader } from '@orderstream/runtime/signature';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous } from '@orderstream/runtime/viewer';
import { z } from 'zod';

const client = z.object({
  id: z.string(),
  name: z.string(),
  keyPrefix: z.string(),
  /** SHA-256, hexadecimal */
  keyHash: z.string().length(64),
  scopes: z.array(z.string()),
  perMinute: z.number(),
  perDay: z.number(),
  costPerMinute: z.number().nullable(),
  version: z.number(),
  /** null: those of the version that was named */
  operations: z.array(z.object({ id: z.string(), name: z.string().nullable(), body: z.string() })).nullable(),
});

export type ClientTold = z.infer<typeof client>;

export type UsageTold = {
  readonly clientId: string;
  /** in UTC, such as 2026-11-21 */
  readonly day: string;
  readonly requests: number;
  readonly refused: number;
  readonly cost: number;
};

/** Told again under the same id where the answer was lost; it counts once. */
export type UsageBatch = { readonly id: string; readonly usage: readonly UsageTold[] };

/** What is said will be refused however often it is said. */
export class NotTaken extends Error {}

export type ClientDoor = {
  /**
   * @param version of the client that is held already
   * @returns null for a prefix of nobody, or of a key that was revoked
   * @throws where there is no answer in time
   */
  readonly ask: (keyPrefix: string, version: number | undefined) => Promise<ClientTold | null>;
  /** @throws NotTaken for a batch that is not sound, any other error where there is no answer in time */
  readonly tell: (batch: UsageBatch) => Promise<void>;
};

type Options = {
  /** the origin of the process that hosts users */
  readonly url: string;
  /** GATEWAY_SECRET */
  readonly secret: string;
  readonly tenantId: string;
  readonly timeoutMs: number;
};

export const createClientDoor = ({ url, secret, tenantId, timeoutMs }: Options): ClientDoor => {
  const key = signingKey(secret);
  const viewer = { ...anonymous(tenantId), service: 'gateway' };

  const post = async (path: string, asked: object): Promise<unknown> => {
    const body = JSON.stringify(asked);
    const signed = sign(key, 'POST', path, viewer, body, new Date());
    const response = await fetch(new URL(path, url), {
      method: 'POST',
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'content-type': 'application/json',
        traceparent: newTrace().traceparent,
        [viewerHeader]: signed.viewer,
        [signatureHeader]: signed.signature,
      },
    });
    const text = await response.text();
    if (response.status === 400 || response.status === 413) throw new NotTaken(`users answered ${text}`);
    if (!response.ok) throw new Error(`users answered ${response.status}`);
    return JSON.parse(text);
  };

  return {
    ask: async (keyPrefix, version) => {
      const answer = await post('/users/api-client', { keyPrefix, version });
      return z.object({ client: client.nullable() }).parse(answer).client;
    },
    tell: async (batch) => {
      await post('/users/api-client-usage', batch);
    },
  };
};
