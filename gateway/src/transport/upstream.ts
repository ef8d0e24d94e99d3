// One subgraph's subscriptions over graphql-ws: many on few sockets. A socket that breaks is nobody's end: each
// subscription on it is made anew, signed anew, after a pause that differs from its neighbours'.
import type { Log } from '@orderstream/runtime/log';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { toBinary, toText } from './binary.ts';

export type EventListener = {
  /** JSON of one execution result as a binary string, as the subgraph wrote it. */
  next(event: string): void;
  /** The subgraph refused; it will not answer otherwise when asked again. */
  refused(errors: readonly GraphQLFormattedError[]): void;
  complete(): void;
  /** It is asked anew after a break, and may tell what it told before. */
  again?(): void;
};

export type Upstream<Asking> = {
  /**
   * `body`: JSON of the GraphQL request as a binary string. Goes on through breaks until the subgraph ends it or the
   * returned function is called.
   */
  readonly subscribe: (body: string, asking: Asking, listener: EventListener) => () => void;
  readonly state: () => { readonly sockets: number; readonly subscriptions: number };
  readonly close: () => void;
};

export type UpstreamOptions<Asking> = {
  /** of the subgraph, for the log */
  readonly name: string;
  /** `http://host:port`, `https://host` or `unix:/path.sock` */
  readonly origin: string;
  readonly path: string;
  readonly log: Log;
  /** Told to the subgraph when a socket opens, for all that will be asked on it. */
  readonly connectionParams?: () => Record<string, unknown> | Promise<Record<string, unknown>>;
  /** What goes along with each subscribe, such as whom it is for; asked again after each break. */
  readonly extensionsOf?: (asking: Asking, body: string) => Record<string, unknown>;
  readonly subscriptionsPerSocket?: number;
  /** bytes of one message */
  readonly largestEvent?: number;
};

type Request = {
  readonly query: string;
  readonly operationName?: string;
  readonly variables?: Record<string, unknown>;
};

/** milliseconds; half to all of it, so that a thousand clients do not come back in one moment */
const pauseAfter = (failures: number): number =>
  Math.min(100 * 2 ** failures, 5_000) * (0.5 + Math.random() / 2);

const urlOf = (origin: string, path: string): string =>
  origin.startsWith('unix:')
    ? `ws+unix:${origin.slice('unix:'.length)}:${path}`
    : `${origin.replace(/^http/, 'ws')}${path}`;

/** Everything that comes before the event in a message of the usual shape. */
const envelope = /^\{"id":"[^"\\]*","type":"next","payload":/;

/** The event's own text where it can be cut out, so that numbers keep their digits; checked, for a key may follow it. */
const eventIn = (message: string, event: unknown): string => {
  const [before] = envelope.exec(message) ?? [];
  if (before) {
    const text = message.slice(before.length, -1);
    try {
      JSON.parse(text);
      return text;
    } catch {
      // written anew below
    }
  }
  return toBinary(JSON.stringify(event));
};

/** One socket, and who is on it. */
class Cable {
  readonly client: Client;
  users = 0;
  isOpen = false;
  /** the message that is being handled, as a binary string */
  heard = '';

  constructor(
    url: string,
    largestEvent: number,
    connectionParams?: UpstreamOptions<unknown>['connectionParams'],
  ) {
    const hear = (message: Buffer): void => {
      this.heard = message.toString('latin1');
    };
    class Socket extends WebSocket {
      constructor(address: string, protocol: string) {
        super(address, protocol, {
          handshakeTimeout: 5_000,
          perMessageDeflate: false,
          maxPayload: largestEvent,
        });
        // Before the client's own listener, which is added after this.
        this.on('message', hear);
      }
    }
    let unanswered: NodeJS.Timeout | undefined;
    this.client = createClient({
      url,
      webSocketImpl: Socket,
      connectionParams,
      retryAttempts: 0,
      lazyCloseTimeout: 5_000,
      connectionAckWaitTimeout: 5_000,
      keepAlive: 10_000,
      on: {
        connected: () => {
          this.isOpen = true;
        },
        // A host that vanished without a word is noticed by a ping left unanswered.
        ping: (received) => {
          if (!received) unanswered = setTimeout(() => this.client.terminate(), 5_000);
        },
        pong: (received) => {
          if (received) clearTimeout(unanswered);
        },
        closed: () => {
          this.isOpen = false;
          clearTimeout(unanswered);
        },
      },
    });
  }
}

class Subscription<Asking> {
  readonly #cable: Cable;
  readonly #options: UpstreamOptions<Asking>;
  readonly #body: string;
  readonly #asking: Asking;
  readonly #listener: EventListener;
  #failures = 0;
  #leave = (): void => {};
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    cable: Cable,
    options: UpstreamOptions<Asking>,
    body: string,
    asking: Asking,
    listener: EventListener,
  ) {
    this.#cable = cable;
    this.#options = options;
    this.#body = body;
    this.#asking = asking;
    this.#listener = listener;
    cable.users += 1;
    this.#open();
  }

  end(): void {
    if (!this.#finish()) return;
    clearTimeout(this.#timer);
    this.#leave();
  }

  #open(): void {
    const request = JSON.parse(toText(this.#body)) as Request;
    const extensions = this.#options.extensionsOf?.(this.#asking, this.#body);
    this.#leave = this.#cable.client.subscribe(
      { ...request, extensions },
      {
        next: (event) => this.#heard(event),
        error: (cause) => this.#broke(cause),
        complete: () => {
          if (this.#finish()) this.#listener.complete();
        },
      },
    );
  }

  #heard(event: FormattedExecutionResult<Record<string, unknown>, unknown>): void {
    this.#failures = 0;
    if (this.#isOver) return;
    // A resolver that refuses to subscribe is told as a result that has errors and no data at all.
    if (event.data === undefined && event.errors) {
      this.end();
      this.#listener.refused(event.errors);
      return;
    }
    try {
      this.#listener.next(eventIn(this.#cable.heard, event));
    } catch (error) {
      // Thrown on, it would close the socket that others share.
      this.#options.log.error({ err: error, subgraph: this.#options.name }, 'an event was not taken');
    }
  }

  #broke(cause: unknown): void {
    if (this.#isOver) return;
    if (Array.isArray(cause)) {
      this.#finish();
      this.#listener.refused(cause as GraphQLFormattedError[]);
      return;
    }
    const failures = this.#failures;
    this.#options.log.warn({ subgraph: this.#options.name, failures }, 'a subscription lost its subgraph');
    this.#timer = setTimeout(() => {
      this.#listener.again?.();
      this.#open();
    }, pauseAfter(failures));
    this.#failures += 1;
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#cable.users -= 1;
    return true;
  }
}

export const openUpstream = <Asking>(options: UpstreamOptions<Asking>): Upstream<Asking> => {
  const { origin, path, subscriptionsPerSocket = 1_000, largestEvent = 4 * 1024 * 1024 } = options;
  const url = urlOf(origin, path);
  const cables: Cable[] = [];
  const subscriptions = new Set<Subscription<Asking>>();

  const cableForOne = (): Cable => {
    const free = cables.find(({ users }) => users < subscriptionsPerSocket);
    if (free) return free;
    const cable = new Cable(url, largestEvent, options.connectionParams);
    cables.push(cable);
    return cable;
  };

  return {
    subscribe: (body, asking, listener) => {
      const gone = (): void => {
        subscriptions.delete(subscription);
      };
      const subscription = new Subscription(cableForOne(), options, body, asking, {
        next: (event) => listener.next(event),
        refused: (errors) => {
          gone();
          listener.refused(errors);
        },
        complete: () => {
          gone();
          listener.complete();
        },
        again: () => listener.again?.(),
      });
      subscriptions.add(subscription);
      return () => {
        gone();
        subscription.end();
      };
    },
    state: () => ({
      sockets: cables.filter(({ isOpen }) => isOpen).length,
      subscriptions: subscriptions.size,
    }),
    close: () => {
      for (const subscription of subscriptions) subscription.end();
      subscriptions.clear();
      for (const { client } of cables) {
        client.terminate();
        client.dispose();
      }
    },
  };
};
