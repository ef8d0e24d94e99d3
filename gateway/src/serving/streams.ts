// Subscriptions as event streams, from the request to the first event.
import type { ServerResponse } from 'node:http';
import { RequestError } from '@orderstream/runtime/errors';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import type { Body } from '../front/short-way.ts';
import type { PartnerDoor } from '../persisted/partner-door.ts';
import { isAskedFor } from '../subscriptions/event-stream.ts';
import type { Subscriptions } from '../subscriptions/subscriptions.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Asking, holderOf } from './asking.ts';
import { one } from './request.ts';

/** What goes on over many supergraphs is in none of them. */
const nobodysEra = { leave: (): void => undefined };

export type Follow = (request: Body, isGet: boolean, asking: Asking, response: ServerResponse) => void;

/**
 * A stream is its subscription's affair from here on, which moves from one supergraph to the next by itself.
 * @throws RequestError before the supergraph was left
 */
export const createFollow = (
  to: Subscriptions<Asking>,
  { cors, limits, persisted }: GatewayConfiguration,
  partners: PartnerDoor,
  telemetry: Telemetry,
): Follow => {
  const origins = new Set(cors.origins);
  return (request, isGet, asking, response) => {
    // Any page could have its visitors open streams by a link.
    if (isGet && !isAskedFor(asking, origins) && !('authorization' in asking.headers))
      throw new RequestError(
        'FORBIDDEN',
        'An event stream by GET needs the header apollo-require-preflight, or an origin that may call.',
      );
    const { identity, partner, address } = asking;
    const key = partner ? one(asking.headers[persisted.keyHeader]) : undefined;
    const visitor = {
      user: holderOf(asking),
      expiresAt: identity.expiresAt?.getTime() ?? null,
      ...(key !== undefined && { isGone: () => partners.isGone(key) }),
      asking: () => ({ ...asking, era: nobodysEra, deadline: performance.now() + limits.deadlineMs }),
    };
    to.serveEventStream(response, request, visitor, address ?? response.socket?.remoteAddress ?? '');
    telemetry.leave(asking.visit, 200, 'ok');
    asking.era.leave();
  };
};
