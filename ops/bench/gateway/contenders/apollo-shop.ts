// @apollo/server and @apollo/gateway as their documentation starts them, in front of the shop's own subgraphs: it knows
// who asks, and its data source signs, `node apollo-shop.ts SUPERGRAPH SUBGRAPHS TENANT PORT`.
import { readFileSync } from 'node:fs';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { sign, signatureHeader, signingKey, viewerHeader } from '@orderstream/runtime/signature';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import { withoutDemands } from '../../../../gateway/src/door/fast-gateway.ts';

type Context = { readonly viewer?: Viewer };

const [supergraph, subgraphs = '', tenant = '', port] = process.argv.slice(2);
const key = signingKey(process.env.GATEWAY_SECRET ?? '');

const claims = z.object({ sub: z.uuid(), sid: z.uuid(), scopes: z.array(z.string()) });
const keys = createRemoteJWKSet(new URL(`${subgraphs}/users/jwks`));
const known = new Map<string, Viewer>();

/** What was read before is known: signatures are not what is compared. */
const viewerOf = async (authorization = ''): Promise<Viewer> => {
  const token = authorization.replace(/^Bearer /, '');
  if (token === '') return anonymous(tenant);
  const before = known.get(token);
  if (before) return before;
  const { payload } = await jwtVerify(token, keys, { issuer: 'orderstream', audience: 'orderstream' });
  const { sub, sid, scopes } = claims.parse(payload);
  const viewer = { ...anonymous(tenant), userId: sub, sessionId: sid, scopes: new Set(scopes) };
  known.set(token, viewer);
  return viewer;
};

class SigningDataSource extends RemoteGraphQLDataSource<Context> {
  override willSendRequest({
    request,
    context,
  }: Parameters<NonNullable<RemoteGraphQLDataSource<Context>['willSendRequest']>>[0]): void {
    const { http, query, ...rest } = request;
    // What is signed are the bytes that it will send.
    const body = Buffer.from(JSON.stringify({ query, ...rest }));
    const { pathname } = new URL(this.url);
    const viewer = context.viewer ?? anonymous(tenant);
    const signed = sign(key, 'POST', pathname, viewer, body, new Date());
    http?.headers.set(viewerHeader, signed.viewer);
    http?.headers.set(signatureHeader, signed.signature);
  }
}

const gateway = new ApolloGateway({
  supergraphSdl: withoutDemands(readFileSync(supergraph!, 'utf8')),
  buildService: ({ name }) => new SigningDataSource({ url: `${subgraphs}/${name}/graphql` }),
});
const server = new ApolloServer<Context>({ gateway });
await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(port) },
  context: async ({ req }) => ({ viewer: await viewerOf(req.headers.authorization) }),
});
