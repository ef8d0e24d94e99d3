// Answers to queries that come by GET, which whoever stands between us and the client may keep.

import { CacheHints } from '../cache/cache-hints.ts';
import type { Compression } from '../compression/compression.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import type { ShortWay } from '../front/short-way.ts';
import { forwardedNames } from '../headers/forwarded.ts';
import { KeptReply, type ReplyOptions } from '../http-cache/kept-reply.ts';
import { createPolicies, type Policy } from '../http-cache/policy.ts';
import type { Known, Operations } from '../operations/operations.ts';
import { toBinary } from '../transport/binary.ts';
import type { Asking } from './asking.ts';

export type KeptAnswers = {
  /** As `ShortWay.answer`, for a query by GET. */
  readonly answer: (...of: Parameters<ReadsByGet>) => boolean;
  /** Sends what was found on the long way. `text`, `operationName`: what it answers */
  readonly send: (
    text: string,
    operationName: string | undefined,
    body: string,
    asking: Asking,
    response: Parameters<ReadsByGet>[2],
  ) => void;
};

type ReadsByGet = (
  read: NonNullable<ReturnType<ShortWay<Asking>['readText']>>,
  asking: Asking,
  response: Parameters<ShortWay<Asking>['answer']>[3],
) => boolean;

type Options = {
  readonly configuration: GatewayConfiguration;
  readonly operations: Operations<Asking>;
  readonly shortWay: ShortWay<Asking>;
  readonly compression: Compression;
  readonly end: (hasErrors: boolean, asking: Asking) => void;
};

/** What is compared with If-None-Match is what GraphQL has to say, so an answer has errors where it says so. */
const hasErrors = (body: string): boolean => {
  const answer: unknown = JSON.parse(body);
  return typeof answer !== 'object' || answer === null || 'errors' in answer;
};

export const createKeptAnswers = ({
  configuration,
  operations,
  shortWay,
  compression,
  end,
}: Options): KeptAnswers => {
  const { cache, auth, persisted } = configuration;
  const { fullSchema, apiSchema } = operations.supergraph;
  const queryType = apiSchema.getQueryType()?.name;
  const policies =
    cache.http.enabled && queryType !== undefined
      ? createPolicies({
          hints: new CacheHints(fullSchema),
          queryType,
          longestMs: cache.http.longest,
        })
      : () => null;
  const options: ReplyOptions<Asking> = {
    compression,
    // A partner's key, since what partners may ask is not what everybody may.
    vary: [...forwardedNames(configuration), persisted.keyHeader],
    authHeader: auth.header,
    end,
  };
  const policyFor = (known: Known<Asking> | undefined, { partner }: Asking): Policy | null => {
    const policy = known ? policies(known) : null;
    return policy && partner ? { ...policy, isPrivate: true } : policy;
  };

  return {
    answer: (read, asking, response) =>
      shortWay.run(read, asking, new KeptReply(options, policyFor(read.known, asking), asking, response)),
    send: (text, operationName, body, asking, response) => {
      const policy = policyFor(operations.known(text, operationName), asking);
      const ended = { ...options, end: () => undefined };
      // The long way ends lines.
      new KeptReply(ended, policy, asking, response).done(toBinary(body.trimEnd()), hasErrors(body));
    },
  };
};
