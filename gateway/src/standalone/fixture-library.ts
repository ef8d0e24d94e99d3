// Two subgraphs of a library on sockets of their own, for tests of the gateway that knows no shop.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { readConfiguration } from '../configuration/reading.ts';
import { openStandalone } from './standalone.ts';

const federation = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@tag", "@authenticated", "@requiresScopes", "@composeDirective"])
  @link(url: "https://specs.orderstream.dev/cacheControl/v0.1", import: ["@cacheControl"])
  @composeDirective(name: "@cacheControl")
directive @cacheControl(maxAge: Int) on FIELD_DEFINITION`;

const sources = {
  books: {
    sdl: `${federation}
      type Book @key(fields: "id") { id: ID! @tag(name: "outside") title: String! @cacheControl(maxAge: 300) @tag(name: "outside") }
      type Query {
        book(id: ID!): Book @cacheControl(maxAge: 60) @tag(name: "outside")
        books(first: Int): [Book!]! @cacheControl(maxAge: 60) @tag(name: "outside")
        hello: String
      }
      type Mutation { retitle(id: ID!, title: String!): Book }`,
    resolvers: () => {
      const titles = new Map([
        ['1', 'Emma'],
        ['2', 'Élan — ünïcode 😀'],
      ]);
      const of = (id: string) => (titles.has(id) ? { id, title: titles.get(id) } : null);
      return {
        Query: {
          hello: () => 'world',
          book: (_root: unknown, { id }: { id: string }) => {
            if (id === 'broken') throw new Error('a page is missing');
            return of(id);
          },
          books: () => [...titles.keys()].map(of),
        },
        Mutation: {
          retitle: (_root: unknown, { id, title }: { id: string; title: string }) => {
            titles.set(id, title);
            return of(id);
          },
        },
        Book: { __resolveReference: ({ id }: { id: string }) => of(id) },
      };
    },
  },
  loans: {
    sdl: `${federation}
      type Book @key(fields: "id") {
        id: ID! isLent: Boolean @cacheControl(maxAge: 30) @tag(name: "outside")
        borrower: String @authenticated @tag(name: "outside")
        history: [String!] @requiresScopes(scopes: [["loans:read"]])
      }
      type Query { loans: Int }`,
    resolvers: () => ({
      Query: { loans: () => 1 },
      Book: {
        __resolveReference: (book: object) => book,
        isLent: ({ id }: { id: string }) => id === '1',
        borrower: () => 'Jo',
        history: () => ['Ada', 'Bob'],
      },
    }),
  },
};

type Name = keyof typeof sources;

const serve = async (name: Name) => {
  const { sdl, resolvers } = sources[name];
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: resolvers() as never }]);
  const heard: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    heard.push(request.headers);
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString()) as {
      query: string;
      variables?: Record<string, unknown>;
    };
    const answer = await graphql({ schema, source: query, variableValues: variables });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    heard,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export const openLibrary = async () => {
  const [books, loans] = await Promise.all([serve('books'), serve('loans')]);
  const { supergraphSdl, errors } = composeServices(
    (['books', 'loans'] as const).map((name) => ({
      name,
      url: { books, loans }[name].url,
      typeDefs: parse(sources[name].sdl),
    })),
  );
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  const dir = mkdtempSync(join(tmpdir(), 'orderstream-library-'));
  const file = join(dir, 'supergraph.graphql');
  writeFileSync(file, supergraphSdl);
  const gateways: { readonly stop: () => Promise<void> }[] = [];
  return {
    dir,
    file,
    sdl: supergraphSdl,
    books,
    loans,
    /**
     * @param settings YAML
     * @param of another supergraph's file
     */
    gateway: async (settings = '', of = file) => {
      const configuration = readConfiguration(settings, {});
      const gateway = await openStandalone({
        ...configuration,
        listen: { ...configuration.listen, port: 0 },
        supergraph: { ...configuration.supergraph, file: of },
        telemetry: {
          ...configuration.telemetry,
          accessLog: { enabled: false, sample: 0 },
          logLevel: 'silent',
        },
      });
      gateways.push(gateway);
      const ask = async (body: unknown, headers: Record<string, string> = {}) => {
        const response = await fetch(gateway.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
        // biome-ignore lint/suspicious/noExplicitAny: answers are compared whole, by the tests
        return { status: response.status, headers: response.headers, body: (await response.json()) as any };
      };
      return { ...gateway, ask };
    },
    close: async () => {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await Promise.all([books.close(), loans.close()]);
      rmSync(dir, { recursive: true });
    },
  };
};

export type Library = Awaited<ReturnType<typeof openLibrary>>;
