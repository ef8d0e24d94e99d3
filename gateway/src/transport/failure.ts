// Why a call came to nothing: in the words for the client, and with what those who repeat calls and count outages must
// know of it. What the subgraph or the socket said goes into the cause, for the log.
import { type ErrorCode, RequestError } from '@orderstream/runtime/errors';

type Kind = {
  readonly code: ErrorCode;
  /** A query may be sent again: the next attempt may well succeed, and this one cost little. */
  readonly isRepeatable: boolean;
  /** Says something about the subgraph's health. */
  readonly isOutage: boolean;
};

const kinds = {
  /** refused, reset, closed before the answer was whole */
  connection: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: true, isOutage: true },
  /** 502, 503, 504: something before the subgraph, or the subgraph itself, asks for patience */
  overloaded: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: true, isOutage: true },
  /** any other status that carries no answer */
  status: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: false, isOutage: true },
  /** Our signature or key was refused: our mistake, and the subgraph is up. */
  refused: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: false, isOutage: false },
  /** bytes that are no HTTP answer, or none of ours */
  framing: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: false, isOutage: true },
  /** larger than the gateway takes in */
  size: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: false, isOutage: false },
  /** The subgraph had all the time that it is given. */
  late: { code: 'DEADLINE_EXCEEDED', isRepeatable: false, isOutage: true },
  /** The client's time was over before the subgraph's. */
  impatient: { code: 'DEADLINE_EXCEEDED', isRepeatable: false, isOutage: false },
  /** not even tried: the breaker is open */
  broken: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: false, isOutage: false },
  /** not even tried: too many calls wait already */
  crowded: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: false, isOutage: false },
  /** The transport is closed. */
  closed: { code: 'SUBGRAPH_UNAVAILABLE', isRepeatable: false, isOutage: false },
  /** The call could not be made of what it was given. */
  mistake: { code: 'INTERNAL', isRepeatable: false, isOutage: false },
} as const satisfies Record<string, Kind>;

export type Reason = keyof typeof kinds;

export class CallFailure extends RequestError {
  readonly reason: Reason;

  /** `detail` and `cause` are for the log and never told to a client. */
  constructor(reason: Reason, detail: string, cause?: unknown) {
    super(kinds[reason].code, undefined, { cause: new Error(detail, { cause }) });
    this.name = 'CallFailure';
    this.reason = reason;
  }
}

const kindOf = (failure: RequestError): Kind | null =>
  failure instanceof CallFailure ? kinds[failure.reason] : null;

export const isRepeatable = (failure: RequestError): boolean => kindOf(failure)?.isRepeatable ?? false;

export const isOutage = (failure: RequestError): boolean => kindOf(failure)?.isOutage ?? false;
