// Answers a query that came by GET: with its name, how long it may be kept, and what it depends on; without a body where
// the client has it. What nobody may keep is answered so, and has no name.
import type { ServerResponse } from 'node:http';
import type { Compression, Packed } from '../compression/compression.ts';
import type { Outcome } from '../execute/operation.ts';
import { etagOf, knownBy, nameOf } from './etag.ts';
import type { Policy } from './policy.ts';

export type ReplyOptions<Asking> = {
  readonly compression: Compression;
  /** Names of headers of the request that change the answer, whoever asks. */
  readonly vary: readonly string[];
  /** the header that tells who asks, on which private answers depend as well */
  readonly authHeader: string;
  /** told when the answer is on its way */
  readonly end: (hasErrors: boolean, asking: Asking) => void;
};

const graphqlResponse = 'application/graphql-response+json';

const dependsOn = (vary: readonly string[], more: readonly string[]): string =>
  [...new Set([...vary, ...more])].join(', ');

export class KeptReply<Asking> implements Outcome {
  readonly #options: ReplyOptions<Asking>;
  readonly #policy: Policy | null;
  #response: ServerResponse | null;
  #asking: Asking | null;

  constructor(
    options: ReplyOptions<Asking>,
    policy: Policy | null,
    asking: Asking,
    response: ServerResponse,
  ) {
    this.#options = options;
    this.#policy = policy;
    this.#asking = asking;
    this.#response = response;
  }

  done(body: string, hasErrors: boolean): void {
    this.doneAlike(Buffer.from(body, 'latin1'), hasErrors);
  }

  doneAlike(body: Buffer, hasErrors: boolean): void {
    const response = this.#response;
    const asking = this.#asking;
    this.#response = null;
    this.#asking = null;
    if (asking !== null) this.#options.end(hasErrors, asking);
    if (!response || response.headersSent || response.destroyed) return;
    this.#answer(body, hasErrors ? null : this.#policy, response);
  }

  #answer(body: Buffer, policy: Policy | null, response: ServerResponse): void {
    const { compression, vary, authHeader } = this.#options;
    const { headers } = response.req;
    // What stands there already was set for pages of other origins.
    const before = String(response.getHeader('vary') ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '');
    const more = ['accept', 'accept-encoding', ...(policy?.isPrivate ? [authHeader] : [])];
    response.setHeader('vary', dependsOn([...before, ...vary], more));
    response.setHeader(
      'cache-control',
      policy ? `${policy.isPrivate ? 'private' : 'public'}, max-age=${policy.maxAge}` : 'no-store',
    );
    const name = policy ? nameOf(body) : null;
    const held = name === null ? null : knownBy(headers['if-none-match'], name);
    if (held !== null) {
      response.writeHead(304, { etag: held }).end();
      return;
    }
    const coding = compression.codingFor(headers['accept-encoding'], body.length);
    if (coding === null) this.#send({ body, coding }, name, response);
    else compression.pack(body, coding, (packed) => this.#send(packed, name, response));
  }

  #send({ body, coding }: Packed, name: string | null, response: ServerResponse): void {
    if (response.destroyed) return;
    const isNew = response.req.headers.accept?.includes(graphqlResponse);
    response.writeHead(200, {
      'content-type': `${isNew ? graphqlResponse : 'application/json'}; charset=utf-8`,
      ...(name !== null && { etag: etagOf(name, coding) }),
      ...(coding !== null && { 'content-encoding': coding }),
      'content-length': body.length,
    });
    response.end(body);
  }
}
