// Some response keys that a client may choose mean something to the gateway or to JavaScript: `__typename` over another
// field would decide the type of an object, `__proto__` its prototype, `constructor` is there when nobody sent it.
// They are asked for, carried and merged under a name of ours, and only the writer of the answer uses the client's.
import { type DocumentNode, type FieldNode, Kind, type NameNode, visit } from 'graphql';

/** Whether reading this key of an ordinary object finds something that nobody put there. */
export const isInherited = (key: string): boolean => key in Object.prototype;

const hostile = new RegExp(
  `__typename[\\s,\\ufeff]*[:#]|\\b(?:${Object.getOwnPropertyNames(Object.prototype).join('|')})\\b`,
);

/** A cheap look at the text: false means that no key needs another name. */
export const mayHoldHostileKeys = (text: string): boolean => hostile.test(text);

const isHostile = (key: string, field: FieldNode): boolean =>
  isInherited(key) || (key === '__typename' && field.name.value !== '__typename');

export type RenamedDocument = {
  readonly document: DocumentNode;
  /** our key -> the client's */
  readonly names: ReadonlyMap<string, string>;
};

/** Gives hostile response keys other names. The same document always gets the same ones. */
export const renameHostileKeys = (document: DocumentNode): RenamedDocument => {
  const taken: string[] = [];
  const found = new Set<string>();
  visit(document, {
    Name: ({ value }: NameNode) => {
      taken.push(value);
    },
    Field: (field) => {
      const key = (field.alias ?? field.name).value;
      if (isHostile(key, field)) found.add(key);
    },
  });
  if (!found.size) return { document, names: new Map() };

  let prefix = 'renamed_';
  while (taken.some((name) => name.startsWith(prefix))) prefix += '_';
  const renamed = visit(document, {
    Field: (field) => {
      const key = (field.alias ?? field.name).value;
      if (!isHostile(key, field)) return undefined;
      return { ...field, alias: { kind: Kind.NAME, value: `${prefix}${key}` } };
    },
  });
  return { document: renamed, names: new Map([...found].map((key) => [`${prefix}${key}`, key])) };
};
