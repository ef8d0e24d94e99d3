// Subscriptions by what the configuration says: who may have how many, and on whose behalf each event is made whole.
import type { Log } from '@orderstream/runtime/log';
import type { Identities } from '../auth/identity.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { type OperationDoor, requestedIn } from '../persisted/requested.ts';
import { usualBounds } from '../subscriptions/bounds.ts';
import { openSubscriptions, type Subscriptions } from '../subscriptions/subscriptions.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Asking } from './asking.ts';
import type { Generation } from './generation.ts';
import type { Particulars } from './particulars.ts';
import { addressOf } from './request.ts';

export const openServedSubscriptions = (
  { preparation, upstreams }: Generation,
  configuration: GatewayConfiguration,
  { shareKeyOf, tell, tellRefusal, bounds }: Particulars,
  identities: Identities,
  operationDoor: OperationDoor,
  telemetry: Telemetry,
  log: Log,
): Subscriptions<Asking> => {
  const { listen, limits, auth, subscriptions, telemetry: seeing } = configuration;
  const deadline = (): number => performance.now() + limits.deadlineMs;
  return openSubscriptions<Asking>({
    preparation,
    upstreams,
    path: listen.path,
    bounds: {
      ...usualBounds,
      clients: subscriptions.perNode,
      clientsPerAddress: subscriptions.socketsPerAddress,
      subscriptionsPerClient: subscriptions.perSocket,
      subscriptionsPerUser: subscriptions.perUser,
      frame: subscriptions.largestMessage,
      mostUnread: subscriptions.waiting,
      greetingMs: subscriptions.initTimeout,
      keepAliveMs: subscriptions.keepAlive,
      returnMs: subscriptions.resumeWithin,
      ...bounds,
    },
    receive: (request) => {
      const { headers } = request;
      const address = addressOf(request, listen.trustsProxy) ?? '';
      return {
        address,
        signIn: async (authorization) => {
          // A browser's socket has no headers of its own: what it says of itself stands for the header.
          const told = { ...headers, ...(authorization !== undefined && { [auth.header]: authorization }) };
          const identity = await identities.read(auth.issuers.length > 0 ? authorization : undefined);
          const asking = (): Asking => {
            const visit = telemetry.arrive(headers, seeing.tracing.trustsClients);
            return {
              visit,
              trace: visit,
              headers: told,
              identity,
              partner: null,
              address,
              era: { leave: () => undefined },
              deadline: deadline(),
            };
          };
          return { user: identity.subject, expiresAt: identity.expiresAt?.getTime() ?? null, asking };
        },
      };
    },
    textOf: ({ query, ...request }, { partner }) =>
      operationDoor.choose(requestedIn({ ...request, ...(query !== '' && { query }) }), partner),
    shareKeyOf,
    renew: (asking) => ({ ...asking, deadline: deadline() }),
    tell,
    tellRefusal,
    log,
  });
};
