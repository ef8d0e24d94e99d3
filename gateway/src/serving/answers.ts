// How answers leave: as they are, or as a refusal in words that a client can use.
import type { ServerResponse } from 'node:http';
import { RequestError, statusOf } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Visit } from '../telemetry/visit.ts';
import type { Asking } from './asking.ts';

const json = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };

export const send = (
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = json,
): void => {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
};

const bodyOfError = ({ message, extensions }: RequestError, { arrival }: Visit): string =>
  JSON.stringify({ errors: [{ message, extensions: { ...extensions, traceId: arrival.traceId } }] });

export class MethodNotAllowed extends RequestError {}

export type Answers = {
  /** The request comes to an end without having entered a supergraph. */
  readonly fail: (response: ServerResponse, visit: Visit, error: unknown) => void;
  /** It had entered one. */
  readonly refuse: (response: ServerResponse, asking: Asking, error: unknown) => void;
};

export const createAnswers = (telemetry: Telemetry, log: Log): Answers => {
  const fail: Answers['fail'] = (response, visit, error) => {
    const told = error instanceof RequestError ? error : new RequestError('INTERNAL');
    if (told !== error) log.error({ err: error, traceId: visit.arrival.traceId }, 'request failed');
    const isMethod = told instanceof MethodNotAllowed;
    const status = isMethod ? 405 : statusOf(told.code);
    telemetry.leave(visit, status, 'refused', told.code);
    const { retryAfterMs } = told.extensions;
    send(response, status, bodyOfError(told, visit), {
      ...json,
      ...(isMethod && { allow: 'POST' }),
      ...(typeof retryAfterMs === 'number' && { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
    });
  };
  return {
    fail,
    refuse: (response, asking, error) => {
      asking.era.leave();
      fail(response, asking.visit, error);
    },
  };
};
