// Everything that hangs on one supergraph: opened together, and let go together when a newer one takes its place.
import type { Log } from '@orderstream/runtime/log';
import { type DocumentNode, GraphQLError, type OperationDefinitionNode, parse } from 'graphql';
import { createAuthority } from '../auth/authority.ts';
import { type Identity, nobody } from '../auth/identity.ts';
import { checkIntrospection, looksAtSchema } from '../auth/introspection.ts';
import { readAuthRules } from '../auth/rules.ts';
import type { Savings } from '../cache/savings.ts';
import type { Compression } from '../compression/compression.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { contractOf } from '../contract/contract.ts';
import { checkSubscriptions, type Door, openDoor, type Rules } from '../door/door.ts';
import type { Variables } from '../execute/operation.ts';
import { createShortWay, type Read, type ShortWay } from '../front/short-way.ts';
import { createAdmission, parseWithinLimits } from '../limits/admission.ts';
import { checkCost, costOf } from '../limits/cost.ts';
import { readCostRules } from '../limits/cost-rules.ts';
import { checkVariables, readVariables } from '../limits/variables.ts';
import { createOperations, type Known, type Operations } from '../operations/operations.ts';
import type { Planner } from '../plan/planner.ts';
import type { Era } from '../reload/reloading.ts';
import { openSoundSupergraph } from '../reload/sound-supergraph.ts';
import { warmOperations } from '../reload/warm.ts';
import { createPreparation, type Preparation } from '../subscriptions/preparation.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { OperationFacts } from '../telemetry/visit.ts';
import type { Resilient } from '../transport/resilience.ts';
import type { Upstream } from '../transport/upstream.ts';
import { type Asking, userOf } from './asking.ts';
import type { Budgets } from './budgets.ts';
import { createKeptAnswers, type KeptAnswers } from './kept-answers.ts';
import type { Particulars } from './particulars.ts';
import { openSubgraphCalls, openSubgraphUpstreams } from './subgraph-calls.ts';

export type Generation = {
  readonly operations: Operations<Asking>;
  readonly shortWay: ShortWay<Asking>;
  readonly door: Door<Asking>;
  readonly transports: ReadonlyMap<string, Resilient<Asking>>;
  readonly preparation: Preparation<Asking>;
  readonly upstreams: ReadonlyMap<string, Upstream<Asking>>;
  readonly keptAnswers: KeptAnswers;
  /** What an operation is estimated to cost; null where the long way has to say whether and how this asker may have it. */
  readonly costFor: (read: Read<Asking>, asking: Asking) => number | null;
  /** parts of the same supergraph, over the same calls and by the same planner, by their path */
  readonly contracts: ReadonlyMap<string, Generation>;
  /** Plans and compiles what will be asked for, before it is; what cannot be is left to whoever asks. */
  readonly prepare: (agreed: readonly Agreed[]) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A request that has entered a supergraph. */
export type Inside = Asking & { readonly era: Era<Generation> };

/** What is there whatever the supergraph. */
type Around = {
  readonly savings: Savings<Asking>;
  readonly compression: Compression;
  readonly budgets: Budgets;
};

/** An operation that is agreed on, and who will ask for it: known before anybody does. */
export type Agreed = { readonly text: string; readonly identity: Identity };

/** What is prepared before anybody asks. */
const forAs = (identity: Identity, telemetry: Telemetry): Asking => {
  const visit = telemetry.arrive({}, false);
  return {
    visit,
    trace: visit,
    headers: {},
    identity,
    partner: null,
    address: null,
    era: { leave: () => undefined },
    deadline: Number.POSITIVE_INFINITY,
  };
};

/** @returns what graphql-js says of a text that it could not read */
const syntaxError = (text: string): Error => {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof GraphQLError)) return error as Error;
    const { message, nodes, source, positions } = error;
    const extensions = { code: 'GRAPHQL_PARSE_FAILED' };
    return new GraphQLError(message, { nodes, source, positions, extensions });
  }
  return new TypeError('a text was refused and then parsed');
};

/** What a contract shares with the whole of which it is a part. */
type Lent = Pick<Generation, 'transports' | 'upstreams'> & { readonly planner: Planner };

/**
 * @param before whose operations are prepared again before anybody asks for them
 * @param agreed what is prepared where there is none before
 * @throws where the SDL is no supergraph
 */
export const openGeneration = async (
  sdl: string,
  before: Generation | null,
  agreed: readonly Agreed[],
  configuration: GatewayConfiguration,
  particulars: Particulars,
  telemetry: Telemetry,
  log: Log,
  { savings, compression, budgets }: Around,
  lent: Lent | null = null,
): Promise<Generation> => {
  const { limits, auth, cache, introspection } = configuration;
  const { planner } = configuration.supergraph;
  // Before anything is opened that would have to be closed.
  const parts = configuration.contracts.map((one) => ({ ...one, sdl: contractOf(sdl, one) }));
  const opened = openSoundSupergraph(sdl, { planner, planningMs: limits.planningMs });
  // Whatever a contract has is in the whole as well: one planner plans for both.
  const supergraph = lent ? { ...opened, planner: lent.planner } : opened;
  const { apiSchema } = supergraph;
  const { formatError, scopeOf, standingOf, variantOf, prepareSchema, executor } = particulars;
  prepareSchema(apiSchema);
  const document: DocumentNode = parse(sdl, { noLocation: true });
  const transports =
    lent?.transports ?? openSubgraphCalls(supergraph.subgraphs, configuration, particulars, telemetry, log);
  const ways = new Map(
    [...transports].map(([name, calls]) => [
      name,
      savings.before(calls, name, supergraph.fullSchema, { scopeOf, userOf, variantOf }),
    ]),
  );
  const upstreams =
    lent?.upstreams ?? openSubgraphUpstreams(supergraph.subgraphs, configuration, particulars, log);
  const authority = createAuthority(apiSchema, readAuthRules(document, apiSchema), auth.mode);
  const costRules = readCostRules(document);
  const operations = createOperations<Asking>({
    supergraph,
    transports: ways,
    formatError,
    guarded: { authority, standingOf },
    costOf: (asked) => costOf(apiSchema, costRules, limits, asked),
    wrap: (operation) => savings.share(operation, scopeOf),
    most: cache.operations,
  });

  const admission = createAdmission(limits, (asked) => checkSubscriptions(apiSchema, asked));
  /** Validation lets an operation pass whose kind the schema has not got at all: that costs nothing. */
  const estimated = (
    asked: DocumentNode,
    definition: OperationDefinitionNode,
    variables: Variables,
  ): number =>
    apiSchema.getRootType(definition.operation)
      ? costOf(apiSchema, costRules, limits, asked, definition.name?.value ?? null).estimate(variables)
      : 0;
  /** Our own partners are known, as are those who have signed in. */
  const isKnown = ({ identity, partner }: Asking): boolean => identity.isSignedIn || partner !== null;
  const rules: Rules<Asking> = {
    admitText: admission.admit,
    // Their bytes were measured with the request.
    admitVariables: (variables) => checkVariables(variables, 0, limits),
    check: () => undefined,
    checkAsker: (asked, definition, variables, asking) => {
      if (looksAtSchema(asked)) checkIntrospection(introspection, asking.identity);
      asking.visit.cost = estimated(asked, definition, variables);
      checkCost(asking.visit.cost, isKnown(asking), limits);
      return budgets.bind(asking) ? budgets.pay(asking, asking.visit.cost) : undefined;
    },
  };
  const door = await openDoor<Asking>({
    operations,
    transports: ways,
    rules,
    log,
    introspection: introspection.for !== 'nobody',
    hidesSchema: introspection.for !== 'everybody',
    prepareSchema,
    executor,
  });
  /** What a request that came before was estimated to cost. */
  const estimates = new WeakMap<Read<Asking>, number>();
  const costFor = (read: Read<Asking>, asking: Asking): number | null => {
    // The oracle has no operations of its own to know.
    if (executor === 'stock') return null;
    const { known, variables } = read;
    try {
      if (known.looksAtSchema) checkIntrospection(introspection, asking.identity);
      let estimate = estimates.get(read);
      if (estimate === undefined) {
        estimate = known.cost?.estimate(variables) ?? 0;
        estimates.set(read, estimate);
      }
      asking.visit.cost = estimate;
      checkCost(estimate, isKnown(asking), limits);
      return estimate;
    } catch {
      return null;
    }
  };
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
  const end = (hasErrors: boolean, { visit, era }: Asking): void => {
    telemetry.leave(visit, 200, hasErrors ? 'errors' : 'ok');
    era.leave();
  };
  const shortWay = createShortWay<Asking>({
    operations,
    compression,
    admit: (_known, variables) => rules.admitVariables(variables),
    isFree: (read, asking) => costFor(read, asking) !== null,
    begin: ({ known }, { visit }) => {
      visit.operation = factsOf(known);
      telemetry.metrics.plans.hits.value += 1;
    },
    end,
  });
  const keptAnswers = createKeptAnswers({ configuration, operations, shortWay, compression, end });

  // The first to ask does not wait for the planner's process.
  await supergraph.planner.ready();
  const warm = async (
    texts: Operations<Asking>['texts'],
    identityOf: (text: string) => Identity,
  ): Promise<void> => {
    await warmOperations({
      texts,
      apiSchema,
      prepare: (text, operationName, asked) => {
        rules.admitText(text);
        return operations.prepare(text, operationName, asked, forAs(identityOf(text), telemetry));
      },
    });
  };
  const textsOf = (all: readonly Agreed[]) => () =>
    all.map(({ text }) => ({ text, operationName: undefined }));
  const standings = new Map(agreed.map(({ text, identity }) => [text, identity]));
  await warm(before ? before.operations.texts : textsOf(agreed), (text) => standings.get(text) ?? nobody);

  const preparation = createPreparation<Asking>({
    supergraph,
    transports: ways,
    hidesSuggestions: introspection.for !== 'everybody',
    formatError,
    guarded: { authority, standingOf },
    rules: {
      parse: (text) => {
        const asked = parseWithinLimits(text, limits);
        if (asked) return asked;
        throw syntaxError(text);
      },
      readVariables: (definition, given) => {
        rules.admitVariables(given);
        return readVariables(apiSchema, definition, given);
      },
      check: (asked, definition, variables, asking) =>
        checkCost(estimated(asked, definition, variables), isKnown(asking), limits),
    },
  });

  const contracts = new Map<string, Generation>();
  for (const part of parts)
    contracts.set(
      part.path,
      await openGeneration(
        part.sdl,
        before?.contracts.get(part.path) ?? null,
        [],
        { ...configuration, introspection: part.introspection, contracts: [] },
        particulars,
        telemetry,
        log,
        { savings, compression, budgets },
        { transports, upstreams, planner: supergraph.planner },
      ),
    );

  return {
    operations,
    contracts,
    preparation,
    upstreams,
    keptAnswers,
    costFor,
    shortWay,
    door,
    transports,
    prepare: (more) => {
      const identities = new Map(more.map(({ text, identity }) => [text, identity]));
      return warm(textsOf(more), (text) => identities.get(text) ?? nobody);
    },
    close: async () => {
      for (const contract of contracts.values()) await contract.close();
      if (lent) return door.stop();
      supergraph.planner.close();
      for (const upstream of upstreams.values()) upstream.close();
      await door.stop();
      await Promise.all([...transports.values()].map((transport) => transport.close()));
    },
  };
};
