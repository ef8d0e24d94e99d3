// Everything that hangs on one supergraph: opened together, and let go together when a newer one takes its place.
import type { Log } from '@orderstream/runtime/log';
import { type DocumentNode, type GraphQLFormattedError, parse } from 'graphql';
import { createAuthority } from '../auth/authority.ts';
import { checkIntrospection } from '../auth/introspection.ts';
import { readAuthRules } from '../auth/rules.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { checkSubscriptions, type Door, openDoor, type Rules } from '../door.ts';
import { type FieldError, formatPlainly } from '../execute/operation.ts';
import { createShortWay, type ShortWay } from '../front/short-way.ts';
import { createAdmission } from '../limits/admission.ts';
import { checkCost, costOf } from '../limits/cost.ts';
import { readCostRules } from '../limits/cost-rules.ts';
import { checkVariables } from '../limits/variables.ts';
import { createOperations, type Known, type Operations } from '../operations/operations.ts';
import { openSupergraph } from '../plan/supergraph.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { OperationFacts } from '../telemetry/visit.ts';
import type { Resilient } from '../transport/resilience.ts';
import type { Asking } from './asking.ts';
import { openSubgraphCalls } from './subgraph-calls.ts';

export type Generation = {
  readonly operations: Operations<Asking>;
  readonly shortWay: ShortWay<Asking>;
  readonly door: Door<Asking>;
  readonly transports: ReadonlyMap<string, Resilient<Asking>>;
  readonly close: () => Promise<void>;
};

/** What a subgraph says goes through as it is; what went wrong here does not. */
const wordedFor =
  (log: Log) =>
  (error: FieldError, { trace }: Asking): GraphQLFormattedError => {
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
  telemetry: Telemetry,
  log: Log,
): Promise<Generation> => {
  const { limits, auth, cache, introspection } = configuration;
  const { planner } = configuration.supergraph;
  const supergraph = openSupergraph(sdl, { planner, planningMs: limits.planningMs });
  const { apiSchema } = supergraph;
  const document: DocumentNode = parse(sdl, { noLocation: true });
  const transports = openSubgraphCalls(supergraph.subgraphs, configuration, telemetry, log);
  const authority = createAuthority(apiSchema, readAuthRules(document, apiSchema), auth.mode);
  const costRules = readCostRules(document);
  const operations = createOperations<Asking>({
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
      // Validation lets an operation pass whose kind the schema has not got at all.
      if (!apiSchema.getRootType(definition.operation)) return;
      const { estimate } = costOf(apiSchema, costRules, limits, asked, definition.name?.value ?? null);
      checkCost(estimate(variables), true, limits);
    },
  };
  const mayLook = ({ identity }: Asking): boolean => {
    try {
      checkIntrospection(introspection, identity);
      return true;
    } catch {
      return false;
    }
  };
  const door = await openDoor<Asking>({
    operations,
    transports,
    rules,
    log,
    introspection: introspection.for !== 'nobody',
    hidesSchema: introspection.for !== 'everybody',
  });
  const facts = new WeakMap<Known<Asking>, OperationFacts>();
  const factsOf = (known: Known<Asking>): OperationFacts => {
    let found = facts.get(known);
    if (!found) {
      const { operation, name } = known.definition;
      found = telemetry.factsOf(operation, name?.value, known.text);
      facts.set(known, found);
    }
    return found;
  };
  const shortWay = createShortWay<Asking>({
    operations,
    admit: ({ cost }, variables) => {
      rules.admitVariables(variables);
      if (cost) checkCost(cost.estimate(variables), true, limits);
    },
    isFree: ({ known }, asking) => !known.looksAtSchema || mayLook(asking),
    begin: ({ known }, { visit }) => {
      visit.operation = factsOf(known);
      telemetry.metrics.plans.hits.value += 1;
    },
    end: (hasErrors, { visit }) => telemetry.leave(visit, 200, hasErrors ? 'errors' : 'ok'),
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
