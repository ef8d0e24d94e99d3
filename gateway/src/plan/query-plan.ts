// A query plan in the gateway's own words, so that nothing beyond this folder knows which planner made it.

/** One step from an object towards the entities of a fetch. */
export type PathStep =
  /** to the value under this response key */
  | { readonly step: 'key'; readonly key: string }
  /** to each element of the list, however many lists are in one another */
  | { readonly step: 'each' }
  /** on with objects of these types (or of types that implement them) only */
  | { readonly step: 'types'; readonly types: readonly string[] };

export type Path = readonly PathStep[];

/** What an entity must say of itself to be found by a subgraph. */
export type Requirement =
  | {
      readonly kind: 'field';
      /** read here first, then under `as` */
      readonly name: string;
      /** sent under this name */
      readonly as: string;
      /** null for a leaf */
      readonly selections: readonly Requirement[] | null;
    }
  | { readonly kind: 'on'; readonly type: string; readonly selections: readonly Requirement[] };

/** An entity of this type (or one that implements it) is sent under another type's name: an interface object. */
export type TypeRewrite = { readonly types: readonly string[]; readonly sentAs: string };

/** The planner had to ask for a field under another key; this puts it back. Lists on the way are implied. */
export type KeyRename = { readonly path: readonly RenameStep[]; readonly to: string };
export type RenameStep =
  | { readonly key: string; readonly types?: undefined }
  | { readonly types: readonly string[]; readonly key?: undefined };

type Call = {
  readonly subgraph: string;
  /** the text of the subgraph's operation */
  readonly operation: string;
  /** the client's variables that it uses */
  readonly variables: readonly string[];
};

export type Fetch = Call & {
  readonly kind: 'fetch';
  readonly operationKind: 'query' | 'mutation' | 'subscription';
  readonly renames: readonly KeyRename[];
};

export type EntityBatch = {
  /** the response key of this list of entities */
  readonly alias: string;
  /** name of the variable with the representations; two batches may share it */
  readonly variable: string;
  readonly paths: readonly Path[];
  readonly requires: readonly Requirement[];
  readonly rewrites: readonly TypeRewrite[];
  readonly renames: readonly KeyRename[];
};

export type EntityFetch = Call & { readonly kind: 'entities'; readonly batches: readonly EntityBatch[] };

export type PlanNode =
  | Fetch
  | EntityFetch
  | { readonly kind: 'sequence'; readonly nodes: readonly PlanNode[] }
  | { readonly kind: 'parallel'; readonly nodes: readonly PlanNode[] }
  | {
      readonly kind: 'condition';
      /** a variable's name without the dollar sign */
      readonly variable: string;
      readonly yes: PlanNode | null;
      readonly no: PlanNode | null;
    };

export type QueryPlan = {
  /** where a subscription's events come from */
  readonly source: Fetch | null;
  /** null where no subgraph needs to be asked */
  readonly node: PlanNode | null;
};

const pathText = (path: Path): string =>
  path
    .map((one) => (one.step === 'key' ? one.key : one.step === 'each' ? '@' : `|[${one.types.join(',')}]`))
    .join('.');

const nodeLines = (node: PlanNode, indent: string): string[] => {
  const deeper = `${indent}  `;
  const block = (title: string, nodes: readonly PlanNode[]): string[] => [
    `${indent}${title} {`,
    ...nodes.flatMap((one) => nodeLines(one, deeper)),
    `${indent}}`,
  ];
  switch (node.kind) {
    case 'fetch':
      return [`${indent}Fetch(${node.subgraph}) ${node.operation.replaceAll(/\s+/g, ' ').trim()}`];
    case 'entities': {
      const paths = node.batches.flatMap((batch) => batch.paths.map(pathText));
      const operation = node.operation.replaceAll(/\s+/g, ' ').trim();
      return [`${indent}Entities(${node.subgraph}, ${paths.join(', ')}) ${operation}`];
    }
    case 'sequence':
      return block('Sequence', node.nodes);
    case 'parallel':
      return block('Parallel', node.nodes);
    case 'condition':
      return [
        ...(node.yes ? block(`If($${node.variable})`, [node.yes]) : []),
        ...(node.no ? block(`Unless($${node.variable})`, [node.no]) : []),
      ];
  }
};

/** The plan as text, for developers. */
export const planText = ({ source, node }: QueryPlan): string =>
  [
    ...(source ? [`Subscribe(${source.subgraph}) ${source.operation.replaceAll(/\s+/g, ' ').trim()}`] : []),
    ...(node ? nodeLines(node, '') : []),
  ].join('\n') || 'Nothing to fetch';
