// One socket that speaks graphql-transport-ws, as graphql-ws's PROTOCOL.md has it.
import { RequestError } from '@orderstream/runtime/errors';
import { CloseCode, MessageType, parseMessage } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { type Greeting, saidIn } from './greeting.ts';
import type { Client, Guest, Office, Visitor } from './office.ts';
import { Outbox, type Wire } from './outbox.ts';
import { Pace } from './pace.ts';
import type { Payload } from './payload.ts';
import type { SubscribeRequest } from './preparation.ts';
import { type Format, Subscription } from './subscription.ts';

/** milliseconds between telling a flooding client to go and cutting it off */
const lastWordsMs = 1_000;
/** The code of "Try again later" in the registry of close codes. */
const tryAgainLater = 1013;
const goingAway = 1001;

const asText = { binary: false, compress: false } as const;
const closingBrace = 0x7d;

/** The messages of one subscription: only the id differs from those of others. */
class Messages implements Format {
  readonly #id: string;
  readonly #head: Buffer;

  constructor(id: string) {
    this.#id = JSON.stringify(id);
    this.#head = Buffer.from(`{"id":${this.#id},"type":"next","payload":`);
  }

  next(payload: Payload): Buffer {
    return this.#wrapped(payload.json);
  }

  finalNext(result: string): Buffer {
    return this.#wrapped(Buffer.from(result));
  }

  failed(errors: string): readonly Buffer[] {
    return [Buffer.from(`{"id":${this.#id},"type":"error","payload":${errors}}`)];
  }

  complete(): Buffer {
    return Buffer.from(`{"id":${this.#id},"type":"complete"}`);
  }

  #wrapped(json: Buffer): Buffer {
    const head = this.#head;
    const message = Buffer.allocUnsafe(head.length + json.length + 1);
    head.copy(message);
    json.copy(message, head.length);
    message[message.length - 1] = closingBrace;
    return message;
  }
}

const authorizationIn = (greeting: Greeting): string | undefined => saidIn(greeting, 'authorization');

export class Connection<Asking> implements Client, Wire {
  readonly #socket: WebSocket;
  readonly #office: Office<Asking>;
  readonly #guest: Guest<Asking>;
  readonly #outbox: Outbox;
  readonly #pace: Pace;
  readonly #subscriptions = new Map<string, Subscription<Asking>>();
  readonly #greetBy: number;
  readonly #taken = (): void => this.#outbox.flush();
  #visitor: Visitor<Asking> | null = null;
  #hasGreeted = false;
  #serial = 0;
  #isAlive = true;
  #pingAt: number;
  #isClosed = false;

  constructor(socket: WebSocket, guest: Guest<Asking>, office: Office<Asking>) {
    this.#socket = socket;
    this.#office = office;
    this.#guest = guest;
    this.#outbox = new Outbox(this, office.bounds);
    this.#pace = new Pace(office.bounds);
    const now = Date.now();
    this.#greetBy = now + office.bounds.greetingMs;
    // Clients that came together are not pinged together.
    this.#pingAt = now + office.bounds.keepAliveMs * (0.5 + Math.random() / 2);
  }

  unread(): number {
    return this.#socket.bufferedAmount;
  }

  held(): number {
    return this.unread() + this.#outbox.bytes;
  }

  send(message: Buffer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(message, asText, this.#taken);
  }

  /** A frame with a ping in it. */
  pinged(): void {
    this.#mayGoOn();
  }

  ponged(): void {
    this.#isAlive = true;
  }

  hear(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN || !this.#mayGoOn()) return;
    let message: ReturnType<typeof parseMessage>;
    try {
      message = parseMessage(text);
    } catch {
      this.#close(CloseCode.BadRequest, 'Invalid message received');
      return;
    }
    switch (message.type) {
      case MessageType.ConnectionInit:
        this.#greet(message.payload);
        return;
      case MessageType.Ping:
        this.#answerPing(message.payload);
        return;
      case MessageType.Pong:
        return;
      case MessageType.Subscribe:
        this.#subscribe(message.id, message.payload);
        return;
      case MessageType.Complete:
        this.#subscriptions.get(message.id)?.stop();
        return;
      default:
        this.#close(CloseCode.BadRequest, `A client does not send messages of type ${message.type}`);
    }
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const subscription of this.#subscriptions.values()) subscription.stop();
    if (this.#visitor?.user) this.#office.users.give(this.#visitor.user);
    this.#visitor = null;
  }

  sweep(now: number): void {
    const socket = this.#socket;
    // A closing frame would wait behind what is not read.
    if (!this.#pace.isBorne(this.held(), now)) {
      socket.terminate();
      return;
    }
    if (!this.#hasGreeted && now >= this.#greetBy)
      this.#close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
    const { expiresAt = null, isGone } = this.#visitor ?? {};
    if (expiresAt !== null && now >= expiresAt)
      this.#close(CloseCode.Forbidden, 'The access token has expired');
    else if (isGone?.()) this.#close(CloseCode.Forbidden, 'The key is not valid any more');
    if (now < this.#pingAt) return;
    this.#pingAt = now + this.#office.bounds.keepAliveMs;
    if (this.#isAlive) socket.ping();
    else socket.terminate();
    this.#isAlive = false;
  }

  drain(returnMs: number): void {
    this.#close(goingAway, `retry in ${returnMs} ms`);
  }

  cut(): void {
    this.#socket.terminate();
  }

  #mayGoOn(): boolean {
    if (this.#pace.mayTalk(Date.now())) return true;
    this.#close(CloseCode.TooManyInitialisationRequests, 'Too many messages');
    // Nothing more is read of one who floods; whoever is polite has heard the closing frame by then.
    this.#socket.pause();
    setTimeout(() => this.#socket.terminate(), lastWordsMs).unref();
    return false;
  }

  #close(code: number, reason: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.close(code, reason);
  }

  /** A message that is no event. Whoever asks for answers and does not read them is cut off. */
  #say(message: object): void {
    if (this.#socket.bufferedAmount > this.#office.bounds.mostUnread) this.#socket.terminate();
    else this.send(Buffer.from(JSON.stringify(message)));
  }

  #greet(payload: Greeting): void {
    if (this.#hasGreeted) {
      this.#close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
      return;
    }
    this.#hasGreeted = true;
    this.#signIn(payload, (visitor) => {
      const { users, bounds } = this.#office;
      if (visitor.user !== null && !users.take(visitor.user)) {
        const most = `One user may have ${bounds.clientsPerUser} connections at most`;
        this.#close(CloseCode.TooManyInitialisationRequests, most);
        return;
      }
      this.#visitor = visitor;
      this.#say({ type: MessageType.ConnectionAck });
    });
  }

  /** A ping may bring a newer token of the same user, which prolongs the visit. */
  #answerPing(payload: Greeting): void {
    const before = this.#visitor;
    if (!before || authorizationIn(payload) === undefined) {
      this.#say(payload ? { type: MessageType.Pong, payload } : { type: MessageType.Pong });
      return;
    }
    this.#signIn(payload, (visitor) => {
      const { shareKeyOf } = this.#office.reception;
      // Subscriptions that run were judged by who asked for them.
      const isSame =
        visitor.user === before.user && shareKeyOf(visitor.asking()) === shareKeyOf(before.asking());
      if (!isSame) {
        this.#close(CloseCode.Forbidden, 'The access token is of another user or has other scopes');
        return;
      }
      this.#visitor = visitor;
      const { expiresAt } = visitor;
      this.#say({
        type: MessageType.Pong,
        payload: { expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() },
      });
    });
  }

  #signIn(payload: Greeting, welcome: (visitor: Visitor<Asking>) => void): void {
    this.#guest.signIn(authorizationIn(payload), payload).then(
      (visitor) => {
        if (!this.#isClosed && this.#socket.readyState === this.#socket.OPEN) welcome(visitor);
      },
      (error: unknown) => {
        const isRefused = error instanceof RequestError && error.code === 'UNAUTHENTICATED';
        // Without keys nobody can be told from anybody; the code invites to come back.
        if (isRefused) this.#close(CloseCode.Forbidden, 'Forbidden');
        else this.#close(tryAgainLater, 'Try again later');
      },
    );
  }

  #subscribe(id: string, payload: SubscribeRequest): void {
    const visitor = this.#visitor;
    if (!visitor) {
      this.#close(CloseCode.Unauthorized, 'Unauthorized');
      return;
    }
    if (this.#subscriptions.has(id)) {
      const reason = `Subscriber for ${id} already exists`;
      // A reason is 123 bytes at most.
      this.#close(
        CloseCode.SubscriberAlreadyExists,
        /^[\x20-\x7e]{1,123}$/.test(reason) ? reason : 'Subscriber already exists',
      );
      return;
    }
    if (this.#socket.bufferedAmount > this.#office.bounds.mostUnread) {
      this.#socket.terminate();
      return;
    }
    const { subscriptionsPerClient } = this.#office.bounds;
    this.#serial += 1;
    const isOneTooMany = this.#subscriptions.size >= subscriptionsPerClient;
    const subscription = new Subscription({
      office: this.#office,
      outbox: this.#outbox,
      format: new Messages(id),
      visitor,
      address: this.#guest.address,
      serial: this.#serial,
      over: () => this.#subscriptions.delete(id),
    });
    if (subscription.isOver) return;
    this.#subscriptions.set(id, subscription);
    if (isOneTooMany)
      subscription.fail([
        new RequestError(
          'RATE_LIMITED',
          `One socket carries ${subscriptionsPerClient} subscriptions at most.`,
        ),
      ]);
    else void subscription.start(payload);
  }
}
