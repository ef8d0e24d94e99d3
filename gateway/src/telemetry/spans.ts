// Finished spans on their way to a collector: OTLP over HTTP as JSON, in batches, behind everybody's back. What cannot
// be delivered is dropped and counted; nobody waits for a collector, and without one nothing here runs at all.
import type { Log } from '@orderstream/runtime/log';

export type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: 'server' | 'client';
  /** performance.now(), milliseconds */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** a code, never what somebody said; null where all went well */
  readonly failure: string | null;
};

export type SpanCounts = { readonly exported: number; readonly dropped: number; readonly waiting: number };

export type Spans = {
  readonly add: (span: Span) => void;
  readonly counts: () => SpanCounts;
  /** Sends what waits, if the collector takes it within its usual time. */
  readonly close: () => Promise<void>;
};

export type SpanSettings = {
  /** where traces are posted to, path included */
  readonly url: URL;
  /** such as a collector's key */
  readonly headers: Readonly<Record<string, string>>;
  /** the service's name in the collector */
  readonly service: string;
  /** spans that may wait */
  readonly most?: number;
  /** milliseconds between batches */
  readonly everyMs?: number;
  /** milliseconds that a collector may take */
  readonly patienceMs?: number;
};

/** spans */
const largestBatch = 512;
/** milliseconds */
const longestPause = 60_000;
/** What OTLP says may be sent again. */
const repeatable = new Set([429, 502, 503, 504]);

/** performance.now() as nanoseconds since 1970, to the microsecond: more digits a double does not have. */
const nanoseconds = (at: number): string =>
  `${Math.round((performance.timeOrigin + at) * 1_000).toString()}000`;

const otlpValue = (value: string | number | boolean): Record<string, unknown> => {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
};

const attributesOf = (attributes: Span['attributes']): unknown[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: otlpValue(value) }));

const spanJson = (span: Span): Record<string, unknown> => ({
  traceId: span.traceId,
  spanId: span.spanId,
  ...(span.parentId && { parentSpanId: span.parentId }),
  name: span.name,
  kind: span.kind === 'server' ? 2 : 3,
  startTimeUnixNano: nanoseconds(span.startedAt),
  endTimeUnixNano: nanoseconds(span.endedAt),
  attributes: attributesOf({ ...span.attributes, ...(span.failure && { 'error.type': span.failure }) }),
  status: span.failure ? { code: 2 } : {},
});

/** The body of one export. */
const exportBody = (service: string, spans: readonly Span[]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': service }) },
        scopeSpans: [{ scope: { name: 'gateway' }, spans: spans.map(spanJson) }],
      },
    ],
  });

/** `a=1,b=2`, values percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has them. */
const headersFrom = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .map((pair) => [pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1).trim()])
      .filter(([name]) => name)
      .map(([name, value]) => [name, decodeURIComponent(value!)]),
  );

/**
 * What OpenTelemetry's usual variables ask for; null where they name no collector.
 * @throws TypeError where an address is none
 */
export const spanSettings = (env: NodeJS.ProcessEnv): SpanSettings | null => {
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const address = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || (base && `${base.replace(/\/+$/, '')}/v1/traces`);
  if (!address) return null;
  return {
    url: new URL(address),
    headers: headersFrom(env.OTEL_EXPORTER_OTLP_TRACES_HEADERS || env.OTEL_EXPORTER_OTLP_HEADERS || ''),
    service: env.OTEL_SERVICE_NAME || 'gateway',
  };
};

class Exporter implements Spans {
  readonly #settings: SpanSettings;
  readonly #log: Log;
  readonly #most: number;
  readonly #everyMs: number;
  #waiting: Span[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | null = null;
  #pause: number;
  #exported = 0;
  #dropped = 0;
  #isClosed = false;

  constructor(settings: SpanSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
    this.#most = settings.most ?? 4_096;
    this.#everyMs = settings.everyMs ?? 2_000;
    this.#pause = this.#everyMs;
  }

  add = (span: Span): void => {
    if (this.#isClosed || this.#waiting.length >= this.#most) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(span);
    this.#timer ??= setTimeout(() => this.#turn(), this.#pause).unref();
  };

  counts = (): SpanCounts => ({
    exported: this.#exported,
    dropped: this.#dropped,
    waiting: this.#waiting.length,
  });

  close = async (): Promise<void> => {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#sending;
    while (this.#waiting.length && (await this.#send()));
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
  };

  #turn(): void {
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = null;
      this.#timer = undefined;
      if (this.#waiting.length && !this.#isClosed)
        this.#timer = setTimeout(() => this.#turn(), this.#pause).unref();
    });
  }

  /** As long as there are full batches and they are taken. */
  async #sendAll(): Promise<void> {
    while ((await this.#send()) && this.#waiting.length >= largestBatch);
  }

  /** Answers whether the collector is there. */
  async #send(): Promise<boolean> {
    const batch = this.#waiting.splice(0, largestBatch);
    const { url, headers, service, patienceMs = 5_000 } = this.#settings;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: exportBody(service, batch),
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      });
      await response.body?.cancel();
      if (response.ok) {
        this.#exported += batch.length;
        this.#pause = this.#everyMs;
        return true;
      }
      if (repeatable.has(response.status)) this.#keep(batch, response.status);
      else this.#drop(batch, response.status);
    } catch (error) {
      this.#keep(batch, error);
    }
    return false;
  }

  /** For another time, as far as there is room: the newest are worth the most. */
  #keep(batch: readonly Span[], reason: unknown): void {
    const room = Math.max(0, this.#most - this.#waiting.length);
    const kept = room ? batch.slice(-room) : [];
    this.#waiting.unshift(...kept);
    this.#pause = Math.min(this.#pause * 2, longestPause);
    this.#lose(batch.length - kept.length, reason);
  }

  #drop(batch: readonly Span[], reason: unknown): void {
    this.#lose(batch.length, reason);
  }

  #lose(count: number, reason: unknown): void {
    this.#dropped += count;
    this.#log.debug(
      { err: reason instanceof Error ? reason : undefined, reason: String(reason), count },
      'spans',
    );
  }
}

export const openSpans = (settings: SpanSettings, log: Log): Spans => new Exporter(settings, log);
