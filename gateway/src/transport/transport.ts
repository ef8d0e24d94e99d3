// How the executor reaches a subgraph, whatever lies between: HTTP, a unix socket, or the same process. Callbacks on
// objects that exist anyway, because a promise per call costs more than some subgraphs do.
import type { RequestError } from '@orderstream/runtime/errors';

/** What comes back for one call to a subgraph. Exactly one of the two is called, once. */
export type Receiver = {
  /** The body as a binary string: one character per byte. Never longer than the transport allows. */
  answered(body: string): void;
  /** Nothing usable came. */
  failed(failure: RequestError): void;
};

export type Transport<Asking> = {
  /**
   * `body`: JSON of the GraphQL request as a binary string. A query may be repeated, and may share a connection with
   * other queries; a mutation never.
   */
  readonly send: (body: string, isQuery: boolean, asking: Asking, receiver: Receiver) => void;
  readonly close: () => Promise<void>;
};
