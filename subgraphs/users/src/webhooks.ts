import type { Webhook } from '@orderstream/runtime/subgraph';
import type { Tokens } from './token.ts';

/** `GET /users/jwks`: the keys by which anybody can tell our access tokens from made-up ones. */
export const createWebhooks = ({ jwks }: Pick<Tokens, 'jwks'>): Webhook[] => [
  {
    method: 'GET',
    path: 'jwks',
    handle: async () => ({ status: 200, body: jwks, headers: { 'cache-control': 'public, max-age=300' } }),
  },
];
