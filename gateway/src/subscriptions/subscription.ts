// One subscription of one client, from the moment it is asked for until one of the two has enough.
import { RequestError } from '@orderstream/runtime/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Office, Visitor } from './office.ts';
import type { Outbox, Recipient } from './outbox.ts';
import type { Payload } from './payload.ts';
import type { SubscribeRequest } from './preparation.ts';
import type { Ending, Member } from './stream.ts';

/** How a protocol writes what a subscription has to say. */
export type Format = {
  next(payload: Payload): Buffer;
  /** `result`: JSON of an execution result */
  finalNext(result: string): Buffer;
  /** The end by errors; `errors`: JSON of a list. */
  failed(errors: string): readonly Buffer[];
  complete(): Buffer;
};

/** The supergraph changed, and the subscription is not part of it any more. */
const outdated = JSON.stringify({
  data: null,
  errors: [
    {
      message: 'The schema has changed and does not have this subscription any more.',
      extensions: { code: 'SUBSCRIPTION_SCHEMA_RELOAD', retryable: true },
    },
  ],
});

/** errors of a refusal that are told */
const mostErrors = 10;

type Options<Asking> = {
  readonly office: Office<Asking>;
  readonly outbox: Outbox;
  readonly format: Format;
  readonly visitor: Visitor<Asking>;
  readonly address: string;
  /** among all of the client's, even past ones */
  readonly serial: number;
  /** Called once, before the last messages go. */
  readonly over: () => void;
};

export class Subscription<Asking> implements Member<Asking>, Recipient {
  readonly serial: number;
  readonly asking: Asking;
  readonly #office: Office<Asking>;
  readonly #outbox: Outbox;
  readonly #format: Format;
  readonly #over: () => void;
  /** who and where is counted; null for nobody and nowhere */
  #user: string | null = null;
  #address: string | null = null;
  readonly #count: (() => Promise<void>) | undefined;
  #leave: (() => void) | null = null;
  #isOver = false;

  constructor({ office, outbox, format, visitor, address, serial, over }: Options<Asking>) {
    this.#office = office;
    this.#outbox = outbox;
    this.#format = format;
    this.#over = over;
    this.serial = serial;
    this.asking = visitor.asking();
    this.#count = visitor.count;
    const { byUser, byAddress, bounds } = office;
    if (visitor.user !== null && !byUser.take(visitor.user)) {
      this.#tooMany(`One user may have ${bounds.subscriptionsPerUser} subscriptions at most.`);
      return;
    }
    this.#user = visitor.user;
    if (byAddress.take(address)) this.#address = address;
    else this.#tooMany(`One address may have ${bounds.subscriptionsPerAddress} subscriptions at most.`);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async start(request: SubscribeRequest): Promise<void> {
    if (this.#isOver) return;
    try {
      await this.#count?.();
      const { textOf } = this.#office.reception;
      const query = textOf ? await textOf(request, this.asking) : request.query;
      const { operationName, variables } = request;
      const live = await this.#office.preparation.prepare({ query, operationName, variables }, this.asking);
      // The client may have gone meanwhile.
      if (this.#isOver) return;
      if ('operation' in live) this.#leave = this.#office.streams.join(live, this);
      else this.fail(live);
    } catch (error) {
      this.fail([
        error instanceof GraphQLError ? error : new RequestError('INTERNAL', undefined, { cause: error }),
      ]);
    }
  }

  /** The client has enough: it is sent nothing more. */
  stop(): void {
    if (!this.#finish()) return;
    this.#outbox.forget(this);
  }

  fail(errors: readonly GraphQLError[]): void {
    const { tell } = this.#office.reception;
    this.#refuse(errors.slice(0, mostErrors).map((error) => tell(error, this.asking)));
  }

  told(payload: Payload): void {
    if (!this.#isOver) this.#outbox.put(this, payload);
  }

  ended(ending: Ending): void {
    if (ending.kind === 'refused') {
      const { tellRefusal } = this.#office.reception;
      this.#refuse(ending.errors.slice(0, mostErrors).map((error) => tellRefusal(error, this.asking)));
      return;
    }
    if (!this.#finish()) return;
    const complete = this.#format.complete();
    const last = ending.kind === 'outdated' ? [this.#format.finalNext(outdated), complete] : [complete];
    this.#outbox.end(this, last);
  }

  message(payload: Payload): Buffer {
    return this.#format.next(payload);
  }

  #tooMany(message: string): void {
    this.fail([new RequestError('RATE_LIMITED', message)]);
  }

  #refuse(errors: readonly GraphQLFormattedError[]): void {
    if (this.#finish()) this.#outbox.end(this, this.#format.failed(JSON.stringify(errors)));
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    if (this.#user !== null) this.#office.byUser.give(this.#user);
    if (this.#address !== null) this.#office.byAddress.give(this.#address);
    this.#user = null;
    this.#address = null;
    this.#leave?.();
    this.#leave = null;
    this.#over();
    return true;
  }
}
