// W3C Trace Context: what a caller tells of the trace that a request belongs to.

export type TraceContext = {
  readonly traceId: string;
  /** the caller's span */
  readonly parentId: string;
  readonly isSampled: boolean;
};

// All zeros is no id. Versions to come may be longer, but begin like this one; ff is none.
const shape = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** characters; longer ones are not passed on */
const longestState = 512;

export const readTraceparent = (header: string | undefined): TraceContext | null => {
  const found = header ? shape.exec(header) : null;
  if (!found) return null;
  const [, version, traceId, parentId, flags, more] = found;
  if (version === '00' && more !== undefined) return null;
  return { traceId: traceId!, parentId: parentId!, isSampled: (Number.parseInt(flags!, 16) & 1) === 1 };
};

export const traceparentOf = (traceId: string, spanId: string, isSampled: boolean): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;

/** What vendors add, as it is: visible ASCII only, since it becomes a header again. */
export const readTracestate = (header: string | undefined): string | null =>
  header && header.length <= longestState && /^[\x20-\x7e]+$/.test(header) ? header : null;
