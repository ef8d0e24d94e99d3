// Compiles an operation: its plan becomes functions that call one another, each knowing at compile time what comes
// after it. No promise and no closure is made while a request runs.
import { RequestError } from '@orderstream/runtime/errors';
import { type DocumentNode, OperationTypeNode } from 'graphql';
import { parserFor } from '../parse/parser.ts';
import { type ObjectShape, shapeOf } from '../parse/shape.ts';
import { onlyOperation } from '../plan/plannable.ts';
import { type EntityFetch, type Path, type PlanNode, planText, type QueryPlan } from '../plan/query-plan.ts';
import { renameHostileKeys } from '../plan/response-keys.ts';
import type { Supergraph } from '../plan/supergraph.ts';
import type { Transport } from '../transport/transport.ts';
import { AskedPaths } from './asked.ts';
import { entityStep } from './entities.ts';
import { bodyOf, FetchCall, fetchStep } from './fetch.ts';
import { Finish } from './finish.ts';
import { gatherer } from './gather.ts';
import { introspector } from './introspection.ts';
import { LaterKeys } from './later.ts';
import { Merging } from './merge.ts';
import { type FormatError, formatPlainly, type Operation } from './operation.ts';
import { RepresentationWriters } from './representations.ts';
import { Request, type Step } from './request.ts';
import { placeOf, stubPlaces } from './stubs.ts';

type Options<Asking> = {
  readonly supergraph: Supergraph;
  /** parsed, validated and within all limits */
  readonly document: DocumentNode;
  readonly operationName?: string;
  readonly plan: QueryPlan;
  /** by subgraph */
  readonly transports: ReadonlyMap<string, Transport<Asking>>;
  readonly formatError?: FormatError<Asking>;
};

const atRoot = (shape: ObjectShape): [Path, ObjectShape][] => [[[], shape]];

/** What the calls of an operation answer, each looked at once. */
class Shapes {
  readonly #known = new Map<string, ObjectShape>();
  readonly #supergraph: Supergraph;

  constructor(supergraph: Supergraph) {
    this.#supergraph = supergraph;
  }

  of(operation: string): ObjectShape {
    const { fullSchema, apiSchema } = this.#supergraph;
    const shape = this.#known.get(operation) ?? shapeOf(operation, fullSchema, apiSchema);
    this.#known.set(operation, shape);
    return shape;
  }
}

class Compiler<Asking> {
  readonly #options: Options<Asking>;
  readonly #asked: AskedPaths;
  readonly #merging: Merging;
  readonly #crash: (request: Request<Asking>, error: unknown) => void;
  /** Steps are made last to first, so this knows what comes later. */
  readonly #later: LaterKeys;
  readonly #stubs: ReadonlySet<string>;
  readonly #shapes: Shapes;
  /** how many parallel nodes the plan has */
  parallels = 0;

  constructor(
    options: Options<Asking>,
    asked: AskedPaths,
    finish: Finish<Asking>,
    shapes: Shapes,
    stubs: ReadonlySet<string>,
  ) {
    this.#shapes = shapes;
    this.#stubs = stubs;
    this.#later = new LaterKeys(stubs);
    this.#options = options;
    this.#crash = (request, error) => finish.crash(request, error);
    this.#asked = asked;
    this.#merging = new Merging(options.supergraph.fullSchema);
  }

  #transport(subgraph: string): Transport<Asking> {
    const transport = this.#options.transports.get(subgraph);
    if (!transport) throw new TypeError(`there is no way to subgraph ${subgraph}`);
    return transport;
  }

  /** What the calls of one subgraph operation share. */
  callPlan(subgraph: string, operation: string, places: (shape: ObjectShape) => [Path, ObjectShape][]) {
    const { fullSchema } = this.#options.supergraph;
    const shape = this.#shapes.of(operation);
    const later = this.#later.of(places(shape));
    for (const [path, one] of places(shape)) this.#later.add(path, one);
    return {
      subgraph,
      shape,
      parse: parserFor(shape, later),
      fullSchema,
      merging: this.#merging,
      asked: this.#asked,
      crash: this.#crash,
    };
  }

  step(node: PlanNode | null, next: Step<Asking>): Step<Asking> {
    if (!node) return next;
    switch (node.kind) {
      case 'fetch':
        return fetchStep(
          { ...this.callPlan(node.subgraph, node.operation, atRoot), fetch: node, next },
          this.#transport(node.subgraph),
        );
      case 'entities':
        return this.#entities(node, next);
      case 'sequence':
        return node.nodes.reduceRight((after, one) => this.step(one, after), next);
      case 'parallel':
        return this.#parallel(node.nodes, next);
      case 'condition': {
        const { variable } = node;
        const yes = this.step(node.yes, next);
        const no = this.step(node.no, next);
        return (request) => {
          if (Object.hasOwn(request.variables, variable) && request.variables[variable] === true)
            yes(request);
          else no(request);
        };
      }
    }
  }

  #entities(node: EntityFetch, next: Step<Asking>): Step<Asking> {
    const { fullSchema } = this.#options.supergraph;
    const lists = [...new Set(node.batches.map(({ variable }) => variable))];
    const plan = this.callPlan(node.subgraph, node.operation, (shape) =>
      node.batches.flatMap(({ alias, paths }) => {
        const entities = shape.fields.get(alias);
        return entities?.shape === 'object' ? paths.map((path): [Path, ObjectShape] => [path, entities]) : [];
      }),
    );
    const batches = node.batches.map((batch) => {
      const entities = plan.shape.fields.get(batch.alias);
      const renamed = batch.renames.map(({ to }) => to);
      const keys = entities?.shape === 'object' ? [...entities.fields.keys(), ...renamed] : renamed;
      return {
        ...batch,
        list: lists.indexOf(batch.variable),
        merge: plan.merging.merger(new Set(keys)),
        writers: new RepresentationWriters(fullSchema, batch.requires, batch.rewrites),
        walks: batch.paths.map((path) => ({
          walk: gatherer(path, fullSchema, this.#stubs),
          isStub: this.#stubs.has(placeOf(path)),
        })),
      };
    });
    const starts = lists.map((name) => `${JSON.stringify(name)}:`);
    return entityStep({ ...plan, fetch: node, lists: starts, batches, next }, this.#transport(node.subgraph));
  }

  #parallel(nodes: readonly PlanNode[], next: Step<Asking>): Step<Asking> {
    const slot = this.parallels++;
    const join: Step<Asking> = (request) => {
      if (--request.branches[slot]! === 0) next(request);
    };
    const steps = nodes.map((one) => this.step(one, join));
    if (!steps.length) return next;
    return (request) => {
      request.branches[slot] = steps.length;
      for (const step of steps) step(request);
    };
  }
}

const none: number[] = [];

/** About what the compiled operation holds, in bytes: measured, most of it is code and syntax trees. */
const weightOf = (document: DocumentNode, plan: QueryPlan): number =>
  4_096 + 6 * JSON.stringify(document).length + 12 * JSON.stringify(plan).length;

/** @throws TypeError where the plan names a subgraph without a transport */
export const compileOperation = <Asking>(options: Options<Asking>): Operation<Asking> => {
  const { supergraph, plan, operationName } = options;
  const { apiSchema } = supergraph;
  const { document, names } = renameHostileKeys(options.document);
  const { operation, fragments } = onlyOperation(document, operationName);
  const asked = new AskedPaths(operation.selectionSet, fragments);
  const kind = operation.operation;
  const rootType =
    kind === OperationTypeNode.QUERY
      ? apiSchema.getQueryType()
      : kind === OperationTypeNode.MUTATION
        ? apiSchema.getMutationType()
        : apiSchema.getSubscriptionType();
  if (!rootType) throw new TypeError(`the schema has no ${kind}`);

  const shapes = new Shapes(supergraph);
  const client = { rootType, selectionSet: operation.selectionSet, fragments };
  const stubs = stubPlaces(plan, client, (text) => shapes.of(text));
  const finish = new Finish(
    { ...client, apiSchema, names, stubs },
    introspector(apiSchema, operation, fragments),
    options.formatError ?? formatPlainly,
  );
  const compiler = new Compiler(options, asked, finish, shapes, stubs);
  const last: Step<Asking> = (request) => finish.finish(request);
  const first = compiler.step(plan.node, last);
  const { parallels } = compiler;
  const branches = () => (parallels ? new Array<number>(parallels).fill(0) : none);

  const shared = {
    kind,
    weight: weightOf(document, plan),
    describe: () => planText(plan),
  };
  const { source } = plan;
  if (!source)
    return {
      ...shared,
      run: (variables, asking, outcome) => {
        const request = new Request(variables, asking, outcome, branches());
        try {
          first(request);
        } catch (error) {
          finish.crash(request, error);
        }
      },
    };

  const eventPlan = {
    ...compiler.callPlan(source.subgraph, source.operation, atRoot),
    fetch: source,
    next: first,
  };
  return {
    ...shared,
    run: (variables, asking, outcome) => {
      const request = new Request(variables, asking, outcome, none);
      finish.crash(request, new RequestError('BAD_USER_INPUT', 'A subscription has no single answer.'));
    },
    source: { subgraph: source.subgraph, body: bodyOf(source) },
    event: (event, variables, asking, outcome) =>
      new FetchCall(new Request(variables, asking, outcome, branches()), eventPlan).answered(event),
  };
};
