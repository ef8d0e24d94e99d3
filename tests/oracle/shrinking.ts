// The smallest query that still shows a difference: parts are left out as long as it stays one.
import {
  type DirectiveNode,
  type DocumentNode,
  Kind,
  parse,
  print,
  type SelectionNode,
  validate,
  visit,
} from 'graphql';
import { monolith } from './schemas.ts';

type Removable = SelectionNode | DirectiveNode;

const partsOf = (document: DocumentNode): Removable[] => {
  const parts: Removable[] = [];
  const note = (node: Removable): void => void parts.push(node);
  visit(document, { Field: note, InlineFragment: note, FragmentSpread: note, Directive: note });
  return parts;
};

/** Without the part, or with what stands in it instead of it; and without fragments and variables that nobody uses then. */
const smallerThan = (document: DocumentNode, part: Removable): string[] => {
  const leave = (replacement: SelectionNode | null): string =>
    tidied(visit(document, { enter: (node) => (node === part ? replacement : undefined) }));
  const inner = part.kind === Kind.INLINE_FRAGMENT ? part.selectionSet.selections : [];
  return [leave(null), ...inner.map(leave)];
};

const namesIn = (document: DocumentNode) => {
  const [fragments, variables] = [new Set<string>(), new Set<string>()];
  visit(document, {
    FragmentSpread: (node) => void fragments.add(node.name.value),
    VariableDefinition: () => false,
    Variable: (node) => void variables.add(node.name.value),
  });
  return { fragments, variables };
};

const tidied = (document: DocumentNode): string => {
  let text = print(document);
  for (;;) {
    let parsed: DocumentNode;
    try {
      parsed = parse(text);
    } catch {
      return text;
    }
    const { fragments, variables } = namesIn(parsed);
    const next = print(
      visit(parsed, {
        FragmentDefinition: (node) => (fragments.has(node.name.value) ? undefined : null),
        VariableDefinition: (node) => (variables.has(node.variable.name.value) ? undefined : null),
      }),
    );
    if (next === text) return text;
    text = next;
  }
};

const isValid = (text: string): boolean => {
  try {
    return validate(monolith, parse(text)).length === 0;
  } catch {
    return false;
  }
};

/** `isStill`: whether a text shows the difference. */
export const shrunk = async (text: string, isStill: (text: string) => Promise<boolean>): Promise<string> => {
  let smallest = print(parse(text));
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    const document = parse(smallest);
    for (const candidate of partsOf(document).flatMap((part) => smallerThan(document, part))) {
      if (candidate.length >= smallest.length || !isValid(candidate) || !(await isStill(candidate))) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
};
