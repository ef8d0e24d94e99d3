import type { GraphQLSchema } from 'graphql';
import type { Composite } from '../parse/values.ts';
import type { Fetch } from '../plan/query-plan.ts';
import { toBinary } from '../transport/binary.ts';
import type { Transport } from '../transport/transport.ts';
import type { AskedPaths } from './asked.ts';
import { Call, type CallPlan } from './call.ts';
import { missingIn, type Reported, tell } from './errors.ts';
import type { Merging } from './merge.ts';
import type { ErrorPath, Variables } from './operation.ts';
import { rename } from './rename.ts';
import type { Request, Step } from './request.ts';

/** Made once per operation. */
export type FetchPlan<Asking> = CallPlan<Asking> & {
  readonly fetch: Fetch;
  readonly merging: Merging;
  readonly fullSchema: GraphQLSchema;
  readonly asked: AskedPaths;
  readonly next: Step<Asking>;
};

/** JSON of the variables that a subgraph's operation uses, with a comma after each. */
export const variablesText = (names: readonly string[], variables: Variables): string => {
  let text = '';
  for (const name of names) {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined) text += `${JSON.stringify(name)}:${toBinary(JSON.stringify(value))},`;
  }
  return text;
};

/** The request for a subgraph as a function of the client's variables: a constant where there are none. */
export const bodyOf = ({ operation, variables: names }: Fetch): ((variables: Variables) => string) => {
  const query = `{"query":${toBinary(JSON.stringify(operation))}`;
  const constant = `${query}}`;
  if (!names.length) return () => constant;
  return (variables) => {
    const text = variablesText(names, variables);
    return text ? `${query},"variables":{${text.slice(0, -1)}}}` : constant;
  };
};

export class FetchCall<Asking> extends Call<Asking> {
  readonly #plan: FetchPlan<Asking>;

  constructor(request: Request<Asking>, plan: FetchPlan<Asking>) {
    super(request, plan);
    this.#plan = plan;
  }

  protected deliver(request: Request<Asking>, data: Composite): void {
    const { fetch, fullSchema } = this.#plan;
    for (const one of fetch.renames) rename(fullSchema, data, one);
    if (request.isEmpty) {
      request.isEmpty = false;
      request.data = data;
    } else {
      this.#plan.merging.merge(request.data!, data);
    }
  }

  protected report(request: Request<Asking>, error: Reported): void {
    const { asked, fetch, shape, subgraph } = this.#plan;
    const places: ErrorPath[] = [];
    if (error.path) {
      const internal = new Map(fetch.renames.map(({ path, to }) => [path.at(-1)?.key, to]));
      places.push(
        asked.within(
          error.path.map((step) => (typeof step === 'string' ? (internal.get(step) ?? step) : step)),
        ),
      );
    } else if (error.concernsAll) {
      missingIn(request.data!, shape, [], (place) => {
        if (asked.has(place)) places.push(place);
      });
    }
    tell(request, subgraph, error, places);
  }

  protected proceed(request: Request<Asking>): void {
    this.#plan.next(request);
  }
}

export const fetchStep = <Asking>(plan: FetchPlan<Asking>, transport: Transport<Asking>): Step<Asking> => {
  const body = bodyOf(plan.fetch);
  const isQuery = plan.fetch.operationKind === 'query';
  return (request) =>
    transport.send(body(request.variables), isQuery, request.asking, new FetchCall(request, plan));
};
