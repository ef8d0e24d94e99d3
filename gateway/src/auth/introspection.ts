// Who may look at the schema. Whatever a fragment or an alias is called, only the field's own name counts.
import { RequestError } from '@orderstream/runtime/errors';
import { BREAK, type DocumentNode, visit } from 'graphql';
import { refusalOf, type Standing } from './standing.ts';

/** To whom the schema is shown. */
export type Introspection =
  | { readonly for: 'nobody' | 'signedIn' | 'everybody' }
  | { readonly for: 'scope'; readonly scope: string };

/** Whether any operation of the document asks for the schema; `__typename` is no such question. */
export const looksAtSchema = (document: DocumentNode): boolean => {
  let looks = false;
  visit(document, {
    Field: ({ name }) => {
      looks = name.value === '__schema' || name.value === '__type';
      return looks ? BREAK : undefined;
    },
  });
  return looks;
};

/** @throws RequestError UNAUTHENTICATED or FORBIDDEN */
export const checkIntrospection = (allowed: Introspection, standing: Standing): void => {
  if (allowed.for === 'everybody') return;
  if (allowed.for === 'signedIn' && standing.isSignedIn) return;
  if (allowed.for === 'scope' && standing.scopes.has(allowed.scope)) return;
  const code = allowed.for === 'nobody' ? 'FORBIDDEN' : refusalOf(standing);
  throw new RequestError(code, 'The schema is not shown to you.');
};
