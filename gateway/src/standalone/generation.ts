// Everything that hangs on one supergraph: opened together, and let go together when a newer one takes its place.
import type { Log } from '@orderstream/runtime/log';
import { type DocumentNode, type GraphQLFormattedError, parse } from 'graphql';
import { createAuthority } from '../auth/authority.ts';
import { readAuthRules } from '../auth/rules.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { checkSubscriptions, type Door, openDoor, type Rules } from '../door.ts';
import { type FieldError, formatPlainly } from '../execute/operation.ts';
import { createShortWay, type ShortWay } from '../front/short-way.ts';
import { createAdmission } from '../limits/admission.ts';
import { checkCost, costOf } from '../limits/cost.ts';
import { readCostRules } from '../limits/cost-rules.ts';
import { checkVariables } from '../limits/variables.ts';
import { createOperations, type Operations } from '../operations/operations.ts';
import { openSupergraph } from '../plan/supergraph.ts';
import type { Resilient } from '../transport/resilience.ts';
import { openSubgraphCalls } from './subgraph-calls.ts';
import type { Visit } from './visit.ts';

export type Generation = {
  readonly operations: Operations<Visit>;
  readonly shortWay: ShortWay<Visit>;
  readonly door: Door<Visit>;
  readonly transports: ReadonlyMap<string, Resilient<Visit>>;
  readonly close: () => Promise<void>;
};

/** What a subgraph says goes through as it is; what went wrong here does not. */
const wordedFor =
  (log: Log) =>
  (error: FieldError, { trace }: Visit): GraphQLFormattedError => {
    if (error.subgraph !== null || error.failure) return formatPlainly(error);
    log.debug(
      { err: error.message, path: error.path, trace: trace.traceparent },
      'an answer was not as the schema says',
    );
    return {
      message: error.message,
      ...(error.path && { path: error.path }),
      extensions: { code: 'INTERNAL' },
    };
  };

/** @throws where the SDL is no supergraph */
export const openGeneration = async (
  sdl: string,
  configuration: GatewayConfiguration,
  log: Log,
): Promise<Generation> => {
  const { limits, auth, cache, introspection } = configuration;
  const { planner } = configuration.supergraph;
  const supergraph = openSupergraph(sdl, { planner, planningMs: limits.planningMs });
  const { apiSchema } = supergraph;
  const document: DocumentNode = parse(sdl, { noLocation: true });
  const transports = openSubgraphCalls(supergraph.subgraphs, configuration, log);
  const authority = createAuthority(apiSchema, readAuthRules(document, apiSchema), auth.mode);
  const costRules = readCostRules(document);
  const operations = createOperations<Visit>({
    supergraph,
    transports,
    formatError: wordedFor(log),
    guarded: { authority, standingOf: ({ identity }) => identity },
    costOf: (asked) => costOf(apiSchema, costRules, limits, asked),
    most: cache.operations,
  });

  const admission = createAdmission(limits, (asked) => checkSubscriptions(apiSchema, asked));
  const rules: Rules = {
    admitText: admission.admit,
    admitVariables: (variables) => checkVariables(variables, 0, limits),
    check: (asked, definition, variables) => {
      const { estimate } = costOf(apiSchema, costRules, limits, asked, definition.name?.value ?? null);
      checkCost(estimate(variables), true, limits);
    },
  };
  const mayLook = ({ identity }: Visit): boolean => {
    if (introspection.for === 'scope') return identity.scopes.has(introspection.scope);
    return introspection.for === 'everybody' || (introspection.for === 'signedIn' && identity.isSignedIn);
  };
  const door = await openDoor<Visit>({
    operations,
    transports,
    rules,
    log,
    introspection: introspection.for !== 'nobody',
    hidesSchema: introspection.for !== 'everybody',
  });
  const shortWay = createShortWay<Visit>({
    operations,
    admit: ({ cost }, variables) => {
      rules.admitVariables(variables);
      if (cost) checkCost(cost.estimate(variables), true, limits);
    },
    isFree: ({ known }, visit) => !known.looksAtSchema || mayLook(visit),
  });

  return {
    operations,
    shortWay,
    door,
    transports,
    close: async () => {
      await door.stop();
      await Promise.all([...transports.values()].map((transport) => transport.close()));
    },
  };
};
