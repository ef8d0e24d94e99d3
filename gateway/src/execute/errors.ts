// What subgraphs report, brought to its place in the client's answer.
import type { RequestError } from '@orderstream/runtime/errors';
import type { Shape } from '../parse/shape.ts';
import { isComposite, read, type Value } from '../parse/values.ts';
import type { ErrorPath } from './operation.ts';
import type { Request } from './request.ts';

/** An error of one call; its path is the subgraph's. */
export type Reported = {
  readonly message: string;
  readonly path: ErrorPath | undefined;
  readonly extensions: Readonly<Record<string, unknown>>;
  /** Nothing was delivered because of it: it concerns every field of the call. */
  readonly concernsAll: boolean;
  readonly failure: RequestError | null;
};

const isPath = (path: unknown): path is ErrorPath =>
  Array.isArray(path) && path.every((one) => typeof one === 'string' || Number.isInteger(one));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** errors of one call that are looked at; a subgraph could send any number */
const mostErrors = 1_000;

/** The errors of a response, whatever a subgraph makes of that word. */
export const readErrors = (envelope: Readonly<Record<string, unknown>>): Reported[] => {
  const { errors } = envelope;
  if (!Array.isArray(errors)) return [];
  return errors.slice(0, mostErrors).map((one: unknown) => {
    const { message, path, extensions }: Record<string, unknown> = isRecord(one) ? one : {};
    return {
      message: typeof message === 'string' ? message : 'Unknown error',
      path: isPath(path) && path.length ? path : undefined,
      extensions: isRecord(extensions) ? extensions : {},
      concernsAll: false,
      failure: null,
    };
  });
};

/** places at which one failed call is reported one by one */
export const mostPlaces = 100;

/** Where the shape's fields are missing in what was delivered so far. */
export const missingIn = (
  value: Value,
  shape: Shape,
  place: ErrorPath,
  found: (place: ErrorPath) => void,
): void => {
  if (Array.isArray(value)) {
    value.forEach((item, index) => void missingIn(item, shape, [...place, index], found));
  } else if (shape.shape === 'object' && isComposite(value)) {
    for (const [key, field] of shape.fields) {
      if (key === '__typename') continue;
      const there = read(value, key);
      if (there === undefined) found([...place, key]);
      else missingIn(there, field, [...place, key], found);
    }
  }
};

/**
 * Tells the request of one error at each of its places; without any, at none. `instead`: what else is lost if none of
 * them is in the client's answer.
 */
export const tell = <Asking>(
  request: Request<Asking>,
  subgraph: string,
  { message, extensions, failure }: Reported,
  places: readonly ErrorPath[],
  instead?: readonly ErrorPath[],
): void => {
  const error = { message, extensions, failure, subgraph, instead };
  if (!places.length) request.found({ ...error, path: undefined });
  for (const path of places.slice(0, mostPlaces)) request.found({ ...error, path });
};
