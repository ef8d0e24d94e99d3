// The gateway's HTTP. A request is read, known for whose it is, counted, and goes the short way where it can.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RequestError } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import type { Identities, Identity } from '../auth/identity.ts';
import type { Compression } from '../compression/compression.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { createCors } from '../headers/cors.ts';
import type { PartnerDoor } from '../persisted/partner-door.ts';
import type { Partner } from '../persisted/partners.ts';
import type { OperationDoor } from '../persisted/requested.ts';
import type { Reloading } from '../reload/reloading.ts';
import type { Shedding } from '../shed/shedding.ts';
import { wantsEventStream } from '../subscriptions/event-stream.ts';
import type { Subscriptions } from '../subscriptions/subscriptions.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Visit } from '../telemetry/visit.ts';
import { createAnswers, MethodNotAllowed, send } from './answers.ts';
import type { Around } from './around.ts';
import { type Asking, asPartner } from './asking.ts';
import { readBody } from './body.ts';
import type { Budgets } from './budgets.ts';
import type { Count } from './counting.ts';
import type { Developers } from './developers.ts';
import type { Generation, Inside } from './generation.ts';
import { createLongWay } from './long-way.ts';
import type { Particulars } from './particulars.ts';
import { addressOf, bodyOfSearch, isJson, one, parsed } from './request.ts';
import { createFollow } from './streams.ts';

type Options = {
  readonly configuration: GatewayConfiguration;
  readonly particulars: Particulars;
  /** everything that is not GraphQL */
  readonly around: Around;
  readonly identities: Identities;
  readonly partners: PartnerDoor;
  readonly operationDoor: OperationDoor;
  readonly count: Count;
  readonly compression: Compression;
  readonly budgets: Budgets;
  readonly developers: Developers;
  readonly shedding: Shedding;
  readonly telemetry: Telemetry;
  readonly reloading: Reloading<Generation>;
  readonly subscriptions: Subscriptions<Asking> | null;
  readonly log: Log;
};

export const createHttp = (options: Options): RequestListener => {
  const { configuration, particulars, around, identities, partners, operationDoor } = options;
  const { count, compression, budgets, developers, shedding } = options;
  const { telemetry, reloading, subscriptions, log } = options;
  const { listen, limits, auth, persisted, telemetry: seeing } = configuration;
  const answers = createAnswers(telemetry, log);
  const { fail, refuse } = answers;
  const longWay = createLongWay({
    configuration,
    operationDoor,
    compression,
    shedding,
    budgets,
    developers,
    telemetry,
  });
  const follow = subscriptions && createFollow(subscriptions, configuration, partners, telemetry);
  const cors = createCors(configuration.cors);
  const hasCors = configuration.cors.origins.length > 0;
  const hasRates = configuration.rates.rules.length > 0;
  const knowsAddress = hasRates || particulars.tellsAddress;
  const { explorer } = particulars;
  const { traceHeader } = seeing.tracing;
  const serve = (body: string, isGet: boolean, asking: Inside, response: ServerResponse): void => {
    const { headers } = asking;
    if (follow && headers.accept?.includes('text/event-stream')) {
      try {
        const request = isGet || isJson(headers['content-type']) ? parsed(body) : {};
        if (wantsEventStream(headers.accept, request)) {
          follow(request, isGet, asking, response);
          return;
        }
      } catch (error) {
        refuse(response, asking, error);
        return;
      }
    }
    const { shortWay, keptAnswers } = asking.era.generation;
    // A text that is known is known for all who may ask for any.
    const isFreeText = !persisted.required && asking.partner === null;
    const isShort =
      isFreeText && body.length <= limits.variables && !developers.ask(asking) && !budgets.bind(asking);
    const read = isShort && (isGet || isJson(headers['content-type'])) ? shortWay.read(body) : null;
    if (read && !shedding.admits(read.known)) {
      refuse(response, asking, shedding.refusal());
      return;
    }
    if (read && !isGet && shortWay.answer(read, asking, headers.accept, response)) return;
    const isQuery = read?.known.definition.operation === 'query';
    if (read && isGet && isQuery && keptAnswers.answer(read, asking, response)) return;
    if (!isGet && !isJson(headers['content-type']))
      refuse(response, asking, new RequestError('BAD_USER_INPUT', 'A request is application/json.'));
    else
      longWay
        .answer(body, isGet, asking, response)
        .catch((error: unknown) => refuse(response, asking, error));
  };

  const identify = (
    request: IncomingMessage,
    response: ServerResponse,
    body: string,
    visit: Visit,
    partner: Partner | null,
  ): void => {
    visit.partner = partner;
    const isGet = request.method !== 'POST';
    const go = (identity: Identity): void => {
      const asking = {
        visit,
        trace: visit,
        headers: request.headers,
        identity: partner ? asPartner(identity, partner) : identity,
        partner,
        address: knowsAddress ? addressOf(request, listen.trustsProxy) : null,
        era: reloading.enter(),
        deadline: visit.startedAt + limits.deadlineMs,
      };
      count(asking, (refusal) => {
        if (refusal) refuse(response, asking, refusal);
        else serve(body, isGet, asking, response);
      });
    };
    try {
      // Without issuers the header is the subgraphs' affair alone.
      const header = auth.issuers.length > 0 ? one(request.headers[auth.header]) : undefined;
      const known = identities.known(header, Date.now());
      if (known) go(known);
      else identities.read(header).then(go, (error: unknown) => fail(response, visit, error));
    } catch (error) {
      fail(response, visit, error);
    }
  };

  const enter = (request: IncomingMessage, response: ServerResponse, body: string, visit: Visit): void => {
    if (!shedding.enter()) {
      fail(response, visit, shedding.refusal());
      return;
    }
    visit.place = shedding;
    const key = partners.isOpen ? one(request.headers[persisted.keyHeader]) : undefined;
    if (key === undefined) {
      identify(request, response, body, visit, null);
      return;
    }
    try {
      const partner = partners.byKey(key);
      if (partner) identify(request, response, body, visit, partner);
      else
        partners.read(key).then(
          (found) => identify(request, response, body, visit, found),
          (error: unknown) => fail(response, visit, error),
        );
    } catch (error) {
      fail(response, visit, error);
    }
  };

  const setHeaders = (response: ServerResponse, list: readonly string[]): void => {
    for (let at = 0; at < list.length; at += 2) response.setHeader(list[at]!, list[at + 1]!);
  };

  const graphql = (request: IncomingMessage, response: ServerResponse, search: string): void => {
    const { method, headers } = request;
    if (hasCors)
      setHeaders(
        response,
        method === 'OPTIONS' ? cors.preflight(headers.origin) : cors.answer(headers.origin),
      );
    if (method === 'OPTIONS') {
      send(response, 204, '', {});
      return;
    }
    if (explorer !== null && method === 'GET' && headers.accept?.includes('text/html')) {
      send(response, 302, '', { location: explorer });
      return;
    }
    const visit = telemetry.arrive(headers, seeing.tracing.trustsClients);
    if (traceHeader !== undefined) response.setHeader(traceHeader, visit.arrival.traceId);
    try {
      if (method === 'POST') {
        request.on('error', () => response.destroy());
        readBody(
          request,
          limits.body,
          (body) => enter(request, response, body, visit),
          (error) => fail(response, visit, error),
        );
      } else if (method === 'GET' || method === 'HEAD') enter(request, response, bodyOfSearch(search), visit);
      else throw new MethodNotAllowed('BAD_USER_INPUT', 'GraphQL goes by POST, and queries by GET as well.');
    } catch (error) {
      fail(response, visit, error);
    }
  };

  return (request, response) => {
    const url = request.url ?? '/';
    const cut = url.indexOf('?');
    const path = cut < 0 ? url : url.slice(0, cut);
    if (path === listen.path) graphql(request, response, cut < 0 ? '' : url.slice(cut + 1));
    else
      around(path, request, response).catch((error: unknown) => {
        log.error({ err: error, path }, 'request failed');
        response.destroy();
      });
  };
};
