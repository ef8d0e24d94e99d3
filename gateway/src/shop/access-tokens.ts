// Whose tokens the shop takes, and the viewer that a request becomes for its subgraphs.
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { z } from 'zod';
import type { Accepts, IssuerSettings } from '../auth/identity.ts';
import type { Asking } from '../serving/asking.ts';
import { one } from '../serving/request.ts';

/** The users subgraph signs them. */
export const ourIssuer = (jwksUrl: string): IssuerSettings => ({
  issuer: 'orderstream',
  keys: { url: jwksUrl },
  audiences: ['orderstream'],
  algorithms: ['ES256'],
  clockToleranceSeconds: 30,
  // No token of ours is good for longer, nor comes from a time that is still ahead.
  maxAgeSeconds: 600,
  scopesClaim: 'scopes',
  policiesClaim: 'policies',
});

const claims = z.object({ sub: z.uuid(), tid: z.uuid(), sid: z.uuid(), scopes: z.array(z.string()) });

export const acceptsClaims: Accepts = (payload) => claims.safeParse(payload).success;

/** characters of the name that a device gives itself, by which a customer knows it again; a longer one is none */
const longestDevice = 100;

/** @param tenantId of whoever brings no token */
export const viewerOf = (
  { identity, address, headers }: Pick<Asking, 'identity' | 'address' | 'headers'>,
  tenantId: string,
): Viewer => {
  const { subject, scopes } = identity;
  const device = one(headers['x-device-id'])?.trim();
  return {
    ...anonymous(subject === null ? tenantId : (identity.claims.tid as string)),
    userId: subject,
    sessionId: subject === null ? null : (identity.claims.sid as string),
    scopes,
    clientAddress: address,
    deviceId: device && device.length <= longestDevice ? device : null,
  };
};
