// The shop's subgraphs, each behind a signature: nothing that a client sent goes along but what is signed here.
import type { KeyObject } from 'node:crypto';
import type { Log } from '@orderstream/runtime/log';
import { sign, signatureHeader, viewerHeader } from '@orderstream/runtime/signature';
import type { Asking } from './asking.ts';
import { openHttpTransport } from './transport/http.ts';
import { type Resilient, usualResilience, withResilience } from './transport/resilience.ts';

/** milliseconds, connecting and a second attempt included */
const patience = 5_000;
/** bytes */
const largestAnswer = 32 * 1024 * 1024;

export const openSubgraphCalls = (
  name: string,
  origin: string,
  key: KeyObject,
  log: Log,
): Resilient<Asking> => {
  const path = `/${name}/graphql`;
  const http = openHttpTransport<Asking>({
    name,
    origin,
    path,
    timeoutMs: patience,
    largestAnswer,
    headersOf: ({ viewer, trace }, body) => {
      const signed = sign(key, 'POST', path, viewer, Buffer.from(body, 'latin1'), new Date());
      return [
        'content-type',
        'application/json',
        'accept',
        'application/json',
        viewerHeader,
        signed.viewer,
        signatureHeader,
        signed.signature,
        'traceparent',
        trace.traceparent,
      ];
    },
  });
  return withResilience(http, {
    name,
    ...usualResilience,
    onBreaker: (state) => log.warn({ subgraph: name, state }, 'the way to a subgraph changed'),
    onRepeat: (failure) => log.info({ subgraph: name, err: failure }, 'a query is asked again'),
  });
};
