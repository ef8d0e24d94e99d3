// Subscriptions through the supergraph: one subgraph delivers the event, the others fill their fields into it, and the
// client gets the newest it can take.
import { RequestError } from '@orderstream/runtime/errors';
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  parse,
  print,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  validate,
} from 'graphql';
import type { Asking } from './asking.ts';
import { isTooBroad, mostListed } from './breadth.ts';
import { checkVariables, parseWithinLimits, readVariables } from './limits.ts';
import { createMailbox, createNewer } from './mailbox.ts';
import { fromSubgraph } from './subgraph-errors.ts';
import { markOf, withoutRootConditions, withVersion } from './subscription.ts';
import type { Sources, SubscriptionPlan, Supergraph } from './supergraph.ts';
import type { Upstream } from './upstream.ts';

type SubscribeRequest = {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Record<string, unknown> | null;
};

export type Live = {
  readonly document: DocumentNode;
  readonly plan: SubscriptionPlan;
  readonly variables: Record<string, unknown>;
};

export type Subscriptions = {
  /** @throws RequestError for what no subscription can be made of @returns what validation found, or what to run */
  readonly prepare: (request: SubscribeRequest) => Live | readonly GraphQLError[];
  readonly run: (live: Live, asking: Asking) => AsyncGenerator<ExecutionResult>;
};

type Options = {
  readonly supergraph: Supergraph;
  readonly sources: Sources;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly hidesSuggestions: boolean;
};

/** things of which one client's newest events wait; a feed of many orders has many */
const mostWaiting = 100;
const mostSeen = 10_000;
const mostPlans = 500;

/** That there is one field at the root can be said only when its conditions are decided. */
const rules = specifiedRules.filter((rule) => rule !== SingleFieldSubscriptionsRule);

/** With the code that @apollo/server gives it over HTTP. */
const coded = (error: GraphQLError, code: string): GraphQLError =>
  new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    extensions: { code },
  });

const syntaxError = (text: string): GraphQLError => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof GraphQLError) return coded(error, 'GRAPHQL_PARSE_FAILED');
    throw error;
  }
  throw new TypeError('a text was refused and then parsed');
};

const badInput = (message: string): RequestError => new RequestError('BAD_USER_INPUT', message);

export const createSubscriptions = (options: Options): Subscriptions => {
  const { supergraph, sources, upstreams, hidesSuggestions } = options;
  const plans = new Map<string, SubscriptionPlan>();

  const planOf = (document: DocumentNode): SubscriptionPlan => {
    const text = print(document);
    const known = plans.get(text);
    if (known) return known;
    const plan = supergraph.planSubscription(withVersion(supergraph.schema, document));
    if (plans.size >= mostPlans) plans.delete(plans.keys().next().value!);
    plans.set(text, plan);
    return plan;
  };

  const prepare: Subscriptions['prepare'] = ({ query, operationName, variables }) => {
    checkVariables(variables);
    const document = parseWithinLimits(query) ?? syntaxError(query);
    if (document instanceof GraphQLError) return [document];
    const errors = validate(supergraph.schema, document, rules, { hideSuggestions: hidesSuggestions });
    if (errors.length > 0) return errors.map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED'));
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== 'subscription')
      throw badInput('Only subscriptions come over the socket; send queries and mutations by POST /graphql.');
    const given = variables ?? {};
    const coerced = readVariables(supergraph.schema, operation, given);
    if (isTooBroad(supergraph.schema, document, operation, coerced))
      throw new RequestError(
        'QUERY_TOO_COMPLEX',
        `The query is too complex: an event could list more than ${mostListed} things.`,
      );
    const alone = withoutRootConditions(document, operation, coerced);
    if (!alone) throw badInput('A subscription has one field at its root, @skip and @include being decided.');
    return { document: alone, plan: planOf(alone), variables: given };
  };

  const run: Subscriptions['run'] = ({ document, plan, variables }, asking) => {
    const { serviceName, operation, operationName, variableUsages = [] } = plan.primary;
    const box = createMailbox<ExecutionResult>(mostWaiting);
    const isNewer = createNewer(mostSeen);
    const used = Object.fromEntries(
      variableUsages.filter((name) => Object.hasOwn(variables, name)).map((name) => [name, variables[name]]),
    );
    let nameless = 0;
    const leave = upstreams
      .get(serviceName)!
      .subscribe({ query: operation, operationName, variables: used }, asking, {
        next: (event) => {
          const { key, version } = markOf(event.data);
          if (!isNewer(key, version)) return;
          // Without a name one event cannot be taken for a newer one of the same thing.
          nameless += 1;
          box.put(key || `nameless ${nameless}`, event);
        },
        refused: (errors) => box.finish(fromSubgraph(errors[0] ?? { message: 'refused' })),
        complete: () => box.finish(),
      });
    const end = async () => {
      leave();
      box.drop();
      return { done: true as const, value: undefined };
    };

    const answer = ({ data, errors }: ExecutionResult): Promise<ExecutionResult> =>
      supergraph.answerEvent(
        plan,
        document,
        { variables, asking, sources },
        {
          data,
          ...(errors && { errors: errors.map((error) => fromSubgraph(error)) }),
        },
      );

    // Written out: a generator function that waits for an event could not be ended before the event comes.
    const answers: AsyncGenerator<ExecutionResult> = {
      next: async () => {
        const event = await box.take();
        return event ? { done: false, value: await answer(event) } : { done: true, value: undefined };
      },
      return: end,
      throw: async (error) => {
        await end();
        throw error;
      },
      [Symbol.asyncIterator]: () => answers,
      [Symbol.asyncDispose]: async () => {
        await end();
      },
    };
    return answers;
  };

  return { prepare, run };
};
