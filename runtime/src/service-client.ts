// One subgraph asks another for what no message carries: a signed read under its own name. Never inside a transaction.
import { callHttp } from './http-call.ts';
import { sign, signatureHeader, signingKey, viewerHeader } from './signature.ts';
import { newTrace } from './trace.ts';
import { anonymous, type Viewer } from './viewer.ts';

export type ServiceClient = {
  /**
   * @returns `data`, unchecked: whoever asks knows its shape
   * @throws where there is no answer in time, or one with errors
   */
  readonly ask: (tenantId: string, query: string, variables: object) => Promise<unknown>;
};

type Options = {
  /** the host that serves the subgraph, such as http://127.0.0.1:4100 */
  readonly url: string;
  /** the subgraph that is asked */
  readonly subgraph: string;
  /** the subgraph that asks */
  readonly service: string;
  readonly scopes: readonly string[];
  /** GATEWAY_SECRET: whoever has it is believed by every subgraph */
  readonly secret: string;
  readonly timeoutMs: number;
};

/** Error messages may repeat what was asked; codes do not. */
const codesOf = (errors: unknown): string =>
  Array.isArray(errors)
    ? errors.map((error) => String(error?.extensions?.code ?? 'without a code')).join(', ')
    : 'without a code';

export const createServiceClient = (options: Options): ServiceClient => {
  const { url, subgraph, service, scopes, timeoutMs } = options;
  const key = signingKey(options.secret);
  const path = `/${subgraph}/graphql`;
  return {
    ask: async (tenantId, query, variables) => {
      const viewer: Viewer = { ...anonymous(tenantId), service, scopes: new Set(scopes) };
      const body = JSON.stringify({ query, variables });
      const signed = sign(key, 'POST', path, viewer, body, new Date());
      const { status, text } = await callHttp(new URL(path, url), {
        method: 'POST',
        body,
        timeoutMs,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          traceparent: newTrace().traceparent,
          [viewerHeader]: signed.viewer,
          [signatureHeader]: signed.signature,
        },
      });
      if (status < 200 || status > 299) throw new Error(`${subgraph} answered ${status}`);
      const { data, errors } = JSON.parse(text);
      if (errors || !data) throw new Error(`${subgraph} answered with errors: ${codesOf(errors)}`);
      return data;
    },
  };
};
