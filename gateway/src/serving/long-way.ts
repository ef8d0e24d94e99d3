// The long way of a request: its text is found, and where that is not known yet, it is looked at from all sides.
import type { ServerResponse } from 'node:http';
import { RequestError } from '@orderstream/runtime/errors';
import type { Compression } from '../compression/compression.ts';
import { sendText } from '../compression/sending.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import type { Body } from '../front/short-way.ts';
import { checkVariables } from '../limits/variables.ts';
import { type OperationDoor, requestedIn } from '../persisted/requested.ts';
import type { Shedding } from '../shed/shedding.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { MethodNotAllowed, send } from './answers.ts';
import type { Budgets } from './budgets.ts';
import type { Developers } from './developers.ts';
import type { Inside } from './generation.ts';
import { changesSomething, parsed, statusFor } from './request.ts';

export type LongWay = {
  /** @throws RequestError before the supergraph was left */
  readonly answer: (body: string, isGet: boolean, asking: Inside, response: ServerResponse) => Promise<void>;
};

const unkept = { 'cache-control': 'no-store' };

type Options = {
  readonly configuration: GatewayConfiguration;
  readonly operationDoor: OperationDoor;
  readonly compression: Compression;
  readonly shedding: Shedding;
  readonly budgets: Budgets;
  readonly developers: Developers;
  readonly telemetry: Telemetry;
};

export const createLongWay = (options: Options): LongWay => {
  const { operationDoor, compression, shedding, budgets, developers, telemetry } = options;
  const { limits } = options.configuration;

  /** The text has been found; what it wants may still be known. */
  const withText = async (
    text: string,
    request: Body,
    isGet: boolean,
    asking: Inside,
    response: ServerResponse,
  ): Promise<void> => {
    const { shortWay, door, keptAnswers, costFor } = asking.era.generation;
    const read = shortWay.readText(text, request);
    if (
      isGet &&
      (read?.known.definition.operation === 'mutation' ||
        (!read && changesSomething(text, request.operationName)))
    )
      throw new MethodNotAllowed('BAD_USER_INPUT', 'Mutations go by POST.');
    if (!shedding.admits(read?.known ?? null)) throw shedding.refusal();
    const isThorough = developers.ask(asking);
    if (isThorough) asking.visit.lookClosely();
    else if (read) {
      const cost = budgets.bind(asking) ? costFor(read, asking) : null;
      if (cost !== null) await budgets.pay(asking, cost);
      if (isGet && keptAnswers.answer(read, asking, response)) return;
      if (!isGet && shortWay.answer(read, asking, asking.headers.accept, response)) return;
    }
    telemetry.metrics.plans.misses.value += 1;
    const { headers, visit } = asking;
    const { id: _id, documentId: _documentId, extensions: _extensions, ...rest } = request;
    const answer = await door.answer({
      body: { ...rest, query: text },
      // A GET has no content type; what it could do by being sent from another page is nothing.
      headers: isGet ? { ...headers, 'content-type': 'application/json' } : headers,
      asking,
    });
    const status = statusFor(answer, headers.accept);
    telemetry.leave(visit, status, answer.status === 200 ? 'ok' : 'refused');
    asking.era.leave();
    const name = typeof request.operationName === 'string' ? request.operationName : undefined;
    if (!isThorough || answer.status !== 200) {
      if (isGet && answer.status === 200) keptAnswers.send(text, name, answer.body, asking, response);
      else sendText(compression, response, status, answer.body, { ...unkept, ...answer.headers });
      return;
    }
    const { 'content-length': _length, ...kept } = answer.headers;
    // It is known by now.
    send(response, status, developers.tell(asking, shortWay.readText(text, request), answer.body), kept);
  };

  return {
    answer: async (body, isGet, asking, response) => {
      const request = parsed(body);
      const { extensions } = request;
      if (
        extensions !== undefined &&
        extensions !== null &&
        (typeof extensions !== 'object' || Array.isArray(extensions))
      )
        throw new RequestError('BAD_USER_INPUT', 'Extensions are an object.', { path: ['extensions'] });
      if (body.length > limits.variables && request.variables) {
        // What is nested too deep cannot be written out to be measured.
        checkVariables(request.variables, 0, limits);
        checkVariables(request.variables, JSON.stringify(request.variables).length, limits);
      }
      const text = await operationDoor.choose(requestedIn(request), asking.partner);
      await withText(text, request, isGet, asking, response);
    },
  };
};
