// Serves any list of subgraphs in one process, each at /<name>/graphql. Subgraph code cannot tell who its neighbours are.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { openBus } from '../bus.ts';
import { createCache } from '../cache.ts';
import { databaseUrlOf, type PlatformSettings, platformSettings, readSettings } from '../config.ts';
import { startConsumer } from '../consumer.ts';
import { type Database, openDatabase } from '../database.ts';
import { RequestError } from '../errors.ts';
import { createHints } from '../hints.ts';
import { housekeeping } from '../housekeeping.ts';
import { startJobs } from '../jobs.ts';
import { createLog } from '../log.ts';
import type { Topic } from '../messages.ts';
import { setCursorSecret } from '../paging.ts';
import { connectRedis, openRedis } from '../redis.ts';
import { startRelay } from '../relay.ts';
import { signatureHeader, signingKey, verify, viewerHeader } from '../signature.ts';
import type { Service, Subgraph, Webhook } from '../subgraph.ts';
import { traceFrom } from '../trace.ts';
import { type GraphQLDoor, openGraphQL } from './graphql.ts';
import { type Check, checkHealth } from './health.ts';
import { deadlineHeader, deadlineIn, nameCall, readBody, send, sendError } from './http.ts';
import { schemaText, subgraphSchema } from './schema.ts';
import { serveSubscriptions } from './subscriptions.ts';

/** bytes; the gateway's own limit is lower, but entity fetches carry many representations */
const largestBody = 4 * 1024 * 1024;

export type Host = {
  readonly url: string;
  readonly databases: ReadonlyMap<string, Database>;
  readonly stop: () => Promise<void>;
};

type Served = {
  readonly subgraph: Subgraph;
  readonly service: Service;
  readonly door: GraphQLDoor | null;
  readonly takesSockets: boolean;
  readonly webhooks: ReadonlyMap<string, Webhook>;
};

const isTopic = (value: unknown): value is { topic: Topic } =>
  typeof value === 'function' && 'topic' in value;

/** @throws ConfigError naming everything that is wrong with the environment */
export const host = async (subgraphs: readonly Subgraph[], env: NodeJS.ProcessEnv): Promise<Host> => {
  const shapes = subgraphs.map((subgraph) => subgraph.settings.shape);
  const all = readSettings(env, z.object(Object.assign({}, platformSettings.shape, ...shapes)));
  const settings = all as PlatformSettings;
  const log = createLog(subgraphs.length === 1 ? subgraphs[0]!.name : 'subgraphs', settings.LOG_LEVEL);
  const key = signingKey(settings.GATEWAY_SECRET);
  setCursorSecret(settings.GATEWAY_SECRET);

  const redis = openRedis(settings.REDIS_URL, log);
  const subscriber = openRedis(settings.REDIS_URL, log);
  const [bus] = await Promise.all([
    openBus({
      brokers: settings.KAFKA_BROKERS,
      prefix: settings.KAFKA_PREFIX,
      clientId: log.bindings().name ?? 'orderstream',
      log,
    }),
    connectRedis(redis, log),
    connectRedis(subscriber, log),
  ]);
  const cache = createCache(redis, settings.REDIS_PREFIX, log);
  const hints = createHints(redis, subscriber, settings.REDIS_PREFIX, log);

  const databases = new Map<string, Database>();
  const served = new Map<string, Served>();
  const checks: Record<string, Check> = { redis: () => redis.ping(), kafka: () => bus.ping() };
  const server = createServer();
  const stops: (() => Promise<unknown>)[] = [];

  // Topics first: a consumer that joins before its topic exists would hear nothing of it for minutes.
  const topics = new Map<string, Topic>();
  const opened: { subgraph: Subgraph; service: Service; database: Database; url: string }[] = [];
  for (const subgraph of subgraphs) {
    const url = databaseUrlOf(env, settings.DATABASE_URL, subgraph.name);
    const database = openDatabase({ url, applicationName: subgraph.name, prisma: subgraph.prisma });
    databases.set(subgraph.name, database);
    checks[`postgres ${subgraph.name}`] = () => database.sql`select 1`;
    const own = log.child({ subgraph: subgraph.name });
    const service = await subgraph.open({
      settings: all,
      database,
      cache,
      hints,
      log: own,
      tenantId: settings.TENANT_ID,
    });
    opened.push({ subgraph, service, database, url });
    for (const value of Object.values(subgraph.messages))
      if (isTopic(value)) topics.set(value.topic.name, value.topic);
    for (const { message } of service.handlers ?? []) topics.set(message.topic.name, message.topic);
  }
  await Promise.all([
    bus.ensureTopics([...topics.values()]),
    hints.open([...topics.values()].filter((topic) => topic.hinted).map((topic) => topic.name)),
  ]);

  await Promise.all(
    opened.map(async ({ subgraph, service, database, url }) => {
      const own = log.child({ subgraph: subgraph.name });
      const text = schemaText(subgraph.folder);
      const schema = text ? subgraphSchema(text, service.resolvers) : null;
      const door = schema ? await openGraphQL(schema, own, { plain: settings.PLAIN_HOST }) : null;
      const path = `/${subgraph.name}/graphql`;
      const leave = schema?.getSubscriptionType()
        ? serveSubscriptions({ server, path, schema, service, key, log: own })
        : null;
      const webhooks = new Map(
        (service.webhooks ?? []).map((w) => [`${w.method} /${subgraph.name}/${w.path}`, w]),
      );
      served.set(subgraph.name, { subgraph, service, door, takesSockets: leave !== null, webhooks });

      const relay = startRelay({ url, database, bus, hints, log: own, name: subgraph.name });
      const jobs = startJobs([...(service.jobs ?? []), housekeeping(database)], own);
      const handlers = service.handlers ?? [];
      const consumer =
        handlers.length > 0
          ? await startConsumer({
              name: subgraph.name,
              bus,
              database,
              handlers,
              log: own,
              patienceMs: service.patienceMs,
              onHeard: jobs.wake,
            })
          : null;
      stops.push(async () => {
        await leave?.();
        await Promise.all([consumer?.stop(), jobs.stop()]);
        await relay.stop();
        await door?.stop();
        await service.close?.();
        await database.close();
      });
    }),
  );

  const answerGraphQL = async (
    one: Served,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    const body = await readBody(request, largestBody);
    const now = new Date();
    const given = { viewer: request.headers[viewerHeader], signature: request.headers[signatureHeader] };
    const viewer = verify(key, request.method ?? '', request.url ?? '', given, body, now);
    if (!viewer) throw new RequestError('UNAUTHENTICATED', 'This endpoint answers the gateway only.');
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString());
    } catch (cause) {
      throw new RequestError('BAD_USER_INPUT', 'The body is not JSON.', { cause });
    }
    const header = request.headers.traceparent;
    const trace = traceFrom(typeof header === 'string' ? header : undefined);
    const { headers } = request;
    const deadline = deadlineIn(headers[deadlineHeader], performance.now());
    const context = one.service.context({
      viewer,
      now,
      trace,
      log: log.child({ subgraph: one.subgraph.name }),
      ...(deadline !== null && { deadline }),
    });
    const answer = await one.door!.answer({
      body: parsed,
      contentType: headers['content-type'],
      headers,
      context,
    });
    send(response, answer.status, answer.body, answer.headers);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split('?')[0] ?? '/';
    if (path === '/health') return send(response, 200, '{"status":"up"}');
    if (path === '/health/ready') {
      const health = await checkHealth(checks);
      return send(response, health.ready ? 200 : 503, JSON.stringify(health));
    }
    const one = served.get(path.split('/')[1] ?? '');
    if (one?.door && path === `/${one.subgraph.name}/graphql` && request.method === 'POST')
      return answerGraphQL(one, request, response);
    const webhook = one?.webhooks.get(`${request.method} ${path}`);
    if (!webhook) throw new RequestError('NOT_FOUND', 'There is nothing here.');
    const body = await readBody(request, webhook.maxBody ?? 64 * 1024);
    const result = await webhook.handle({ headers: request.headers, body, now: new Date(), log });
    send(response, result.status, result.body === undefined ? '' : JSON.stringify(result.body), {
      'content-type': 'application/json; charset=utf-8',
      ...result.headers,
    });
  };

  // Sockets are taken by the subgraphs that have subscriptions; one that nobody takes would stay open for ever.
  server.on('upgrade', (request, socket) => {
    const one = served.get(request.url?.split('/')[1] ?? '');
    if (!one?.takesSockets || request.url !== `/${one.subgraph.name}/graphql`) socket.destroy();
  });
  server.on('request', (request, response) => {
    nameCall(request, response);
    answer(request, response).catch((error: unknown) => {
      if (error instanceof RequestError) return sendError(response, error);
      log.error({ err: error, path: request.url }, 'request failed');
      sendError(response, new RequestError('INTERNAL'));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.PORT, settings.HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://${settings.HOST}:${port}`,
    databases,
    stop: async () => {
      server.close();
      server.closeIdleConnections();
      await Promise.all(stops.map((stop) => stop()));
      server.closeAllConnections();
      await hints.close();
      redis.disconnect();
      await bus.close();
    },
  };
};
