// W3C trace context, carried from the gateway through HTTP and Kafka.
import { randomBytes } from 'node:crypto';

export type Trace = { readonly traceparent: string };

// All zeros is no id, says W3C: it would tie together what has nothing to do with each other.
const shape = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export const newTrace = (): Trace => ({
  traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
});

export const traceFrom = (header: string | undefined): Trace =>
  header && shape.test(header) ? { traceparent: header } : newTrace();

export const traceId = (trace: Trace): string => trace.traceparent.slice(3, 35);
