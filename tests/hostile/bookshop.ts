// Two subgraphs that have something for everybody who means ill: things within things, a sign-in to guess at, a type with
// many fields, and events.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { GraphQLError, graphql, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { WebSocketServer } from 'ws';
import { keyHashOf } from '../../gateway/src/persisted/partners.ts';
import type { Words } from './input.ts';

const federation = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@authenticated"])`;

const wideFields = Array.from({ length: 60 }, (_, index) => `word${index}`);

const texts = {
  books: `${federation}
    type Book @key(fields: "id") { id: ID! title: String! sequel: Book }
    type Wide { ${wideFields.map((name) => `${name}(at: Int): String`).join(' ')} }
    type Query {
      book(id: ID!): Book
      books(first: Int): [Book!]!
      search(q: String!): [Book!]!
      wide: Wide
      takings: Int @authenticated
    }
    type Mutation { login(email: String!, password: String!): Boolean }
    type Subscription { ticks(from: Int): Int! diary(of: ID!): String! }`,
  reviews: `${federation}
    type Book @key(fields: "id") { id: ID! stars: Int }
    type Query { latest: [String!]! }`,
};

type Name = keyof typeof texts;

export const words: Words = {
  list: 'books',
  leaf: 'title',
  next: 'sequel',
  paged: 'books(first: $n) { title }',
  sought: 'search(q: $text) { title }',
  textType: 'String!',
  guess: 'login(email: "a@example.com", password: "x")',
  wide: { field: 'wide', names: wideFields },
  misspelt: ['boks', 'books'],
};

export const wellAsked = '{ book(id: 1) { title stars } }';
export const wellAnswered = { book: { title: 'Volume 1', stars: 4 } };

const books = Array.from({ length: 5 }, (_, index) => ({ id: `${index}`, title: `Volume ${index}` }));

const ticks = async function* (from: number) {
  for (let tick = from; ; tick++) {
    yield { ticks: tick };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const resolvers: Record<Name, object> = {
  books: {
    Query: {
      book: (_: unknown, { id }: { id: string }) => books.find((book) => book.id === id) ?? null,
      books: (_: unknown, { first }: { first?: number }) => books.slice(0, first ?? books.length),
      search: (_: unknown, { q }: { q: string }) => books.filter(({ title }) => title.includes(q)),
      wide: () => ({}),
      takings: () => 7,
    },
    Mutation: { login: () => false },
    Book: { __resolveReference: ({ id }: { id: string }) => books.find((book) => book.id === id) ?? null },
    Subscription: {
      ticks: { subscribe: (_: unknown, { from }: { from?: number }) => ticks(from ?? 0) },
      diary: {
        subscribe: () => {
          throw new GraphQLError('It is not yours.', { extensions: { code: 'FORBIDDEN' } });
        },
      },
    },
  },
  reviews: {
    Query: { latest: () => ['Fine.'] },
    Book: { __resolveReference: (book: object) => book, stars: () => 4 },
  },
};

const serve = async (name: Name) => {
  const schema = buildSubgraphSchema([{ typeDefs: parse(texts[name]), resolvers: resolvers[name] as never }]);
  let heard = 0;
  const server = createServer(async (request, response) => {
    heard += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
    const answer = JSON.stringify(await graphql({ schema, source: query, variableValues: variables }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
  const sockets = new WebSocketServer({ server, path: '/graphql' });
  useServer({ schema }, sockets);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    heard: () => heard,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

/** Signs for the shop's readers, and for others what it should not. */
const openIssuer = async (folder: string) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const published = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  const file = join(folder, 'keys.json');
  writeFileSync(file, JSON.stringify({ keys: [published] }));
  return {
    file,
    published,
    sign: (audience = 'readers', lifetime = '10m', kid = 'one') =>
      new SignJWT({ scope: '' })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setSubject('ada')
        .setIssuer('bookshop')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(lifetime)
        .sign(privateKey),
  };
};

export const partnerKey = `acme_prefix.${'s'.repeat(40)}`;

const manifestIn = (folder: string, partner: string): string => {
  const file = join(folder, `${partner}.json`);
  const operations = [
    { id: partner, name: 'Titles', type: 'query', body: 'query Titles { books { title } }' },
  ];
  writeFileSync(file, JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }));
  return file;
};

const partnerOf = (folder: string, id: string, key: string): string =>
  `    - { id: ${id}, key: { prefix: ${id}_prefix, sha256: "${keyHashOf(key)}" }, manifest: "${manifestIn(folder, id)}", perMinute: 1000000 }`;

/** The subgraphs, and files for a gateway that stands before them. */
export const openBookshop = async () => {
  const [own, others] = await Promise.all([serve('books'), serve('reviews')]);
  const { supergraphSdl, errors } = composeServices([
    { name: 'books', url: own.url, typeDefs: parse(texts.books) },
    { name: 'reviews', url: others.url, typeDefs: parse(texts.reviews) },
  ]);
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  const folder = mkdtempSync(join(tmpdir(), 'orderstream-hostile-'));
  const supergraph = join(folder, 'supergraph.graphql');
  const issuer = await openIssuer(folder);
  writeFileSync(supergraph, supergraphSdl);
  const settings = `
auth:
  issuers:
    - { issuer: bookshop, keys: { file: "${issuer.file}" }, audiences: [readers], clockTolerance: 1s }
# On a busy machine a planner takes longer to start than anybody would wait.
limits: { alone: [login], planning: 30s, deadline: 40s }
cors: { origins: ["https://shop.example"] }
subscriptions: { initTimeout: 1s }
telemetry: { logLevel: error, accessLog: { enabled: false } }
`;
  const partners = `
persisted:
  partners:
${partnerOf(folder, 'acme', partnerKey)}
${partnerOf(folder, 'bolt', `bolt_prefix.${'t'.repeat(40)}`)}
`;
  const argumentsFor = (name: string, text: string): string[] => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return ['--supergraph', supergraph, '--config', file, '--port', '0'];
  };
  return {
    issuer,
    /** where the subgraphs are */
    places: [own, others].map(({ url }) => new URL(url).host),
    /** of `gateway/src/standalone/main.ts` */
    args: argumentsFor('gateway.yaml', settings),
    argsWithPartners: argumentsFor('partners.yaml', settings + partners),
    heard: () => own.heard() + others.heard(),
    close: async () => {
      await Promise.all([own.close(), others.close()]);
      rmSync(folder, { recursive: true });
    },
  };
};

export type Bookshop = Awaited<ReturnType<typeof openBookshop>>;
