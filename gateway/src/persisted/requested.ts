// Which operation a request wants: by an id that was agreed on, by a hash, or as text; and which of them it may.
import { badInput, RequestError } from '@orderstream/runtime/errors';
import type { Manifest } from '@orderstream/runtime/manifest';
import type { AutomaticOperations } from './automatic.ts';
import type { Partner } from './partners.ts';

export type Requested = {
  /** of a manifest */
  readonly id: string | null;
  /** of automatic persisted queries; Apollo's clients send ids of manifests so as well */
  readonly sha256: string | null;
  readonly text: string | null;
};

type Body = {
  readonly query?: unknown;
  readonly id?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
};

const textOf = (value: unknown, name: string): string | null => {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || value === '') throw badInput([name], 'This is text that is not empty.');
  return value;
};

const hashOf = (extensions: unknown): string | null => {
  if (typeof extensions !== 'object' || extensions === null || !('persistedQuery' in extensions)) return null;
  const asked = extensions.persistedQuery;
  const isOurs = typeof asked === 'object' && asked !== null && 'version' in asked && asked.version === 1;
  if (!isOurs) throw badInput(['extensions', 'persistedQuery'], 'Only version 1 is understood.');
  return textOf('sha256Hash' in asked ? asked.sha256Hash : null, 'extensions.persistedQuery.sha256Hash');
};

/**
 * @param body parsed, or the parameters of a GET with its extensions parsed
 * @throws RequestError BAD_USER_INPUT
 */
export const requestedIn = ({ query, id, documentId, extensions }: Body): Requested => ({
  id: textOf(id ?? documentId, 'id'),
  sha256: hashOf(extensions),
  text: textOf(query, 'query'),
});

export type OperationDoor = {
  /**
   * The text to run, at once where it is known.
   * @throws RequestError PERSISTED_QUERY_REQUIRED, PERSISTED_QUERY_NOT_FOUND or BAD_USER_INPUT
   */
  readonly choose: (requested: Requested, partner: Partner | null) => string | Promise<string>;
};

type Options = {
  /** operations of our own front ends */
  readonly manifest: Manifest;
  /** null where only what was agreed on is known by a hash */
  readonly automatic: AutomaticOperations | null;
  /** whether our own front ends may ask for nothing else, either */
  readonly isRequired: boolean;
};

export const createOperationDoor = ({ manifest, automatic, isRequired }: Options): OperationDoor => {
  const agreed = ({ id, sha256 }: Requested, list: Manifest): string | null =>
    list.get(id ?? sha256 ?? '')?.body ?? null;

  return {
    choose: (requested, partner) => {
      const { id, sha256, text } = requested;
      if (partner || isRequired) {
        const body = text === null ? agreed(requested, partner?.manifest ?? manifest) : null;
        // The same for a text, for an id of nobody and for one of somebody else: ids are not to be found out.
        if (body === null) throw new RequestError('PERSISTED_QUERY_REQUIRED');
        return body;
      }
      if (text !== null) {
        if (sha256 !== null && automatic) automatic.learn(sha256, text);
        return text;
      }
      const body = agreed(requested, manifest);
      if (body !== null) return body;
      if (id !== null || sha256 === null || !automatic)
        throw id === null && sha256 === null
          ? badInput(['query'], 'A request has a query, or the id of one.')
          : new RequestError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
      return automatic.known(sha256) ?? automatic.find(sha256);
    },
  };
};
