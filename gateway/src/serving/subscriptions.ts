// Subscriptions by what the configuration says: who may have how many, and on whose behalf each event is made whole.
import type { Log } from '@orderstream/runtime/log';
import type { Identities } from '../auth/identity.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import type { PartnerDoor } from '../persisted/partner-door.ts';
import { type OperationDoor, requestedIn } from '../persisted/requested.ts';
import { usualBounds } from '../subscriptions/bounds.ts';
import { saidIn } from '../subscriptions/greeting.ts';
import { openSubscriptions, type Subscriptions } from '../subscriptions/subscriptions.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Asking, asPartner, holderOf } from './asking.ts';
import type { Count } from './counting.ts';
import type { Generation } from './generation.ts';
import type { Particulars } from './particulars.ts';
import { addressOf, one } from './request.ts';

/** Everything that a request passes before it is answered. */
type Doors = {
  readonly identities: Identities;
  readonly partners: PartnerDoor;
  readonly operationDoor: OperationDoor;
  readonly count: Count;
};

export const openServedSubscriptions = (
  { preparation, upstreams }: Generation,
  configuration: GatewayConfiguration,
  { shareKeyOf, tell, tellRefusal, bounds }: Particulars,
  { identities, partners, operationDoor, count }: Doors,
  telemetry: Telemetry,
  log: Log,
): Subscriptions<Asking> => {
  const { listen, limits, auth, persisted, subscriptions, telemetry: seeing } = configuration;
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
      subscriptionsPerAddress: subscriptions.perAddress,
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
      let key = one(headers[persisted.keyHeader]);
      return {
        address,
        signIn: async (authorization, greeting) => {
          const told = { ...headers, ...(authorization !== undefined && { [auth.header]: authorization }) };
          key = saidIn(greeting, persisted.keyHeader) ?? key;
          const partner = partners.isOpen && key !== undefined ? await partners.read(key) : null;
          const known = await identities.read(auth.issuers.length > 0 ? authorization : undefined);
          const identity = partner ? asPartner(known, partner) : known;
          const asking = (): Asking => {
            const visit = telemetry.arrive(headers, seeing.tracing.trustsClients);
            return {
              visit,
              trace: visit,
              headers: told,
              identity,
              partner,
              address,
              era: { leave: () => undefined },
              deadline: deadline(),
            };
          };
          const own = key;
          return {
            user: holderOf({ identity, partner }),
            expiresAt: identity.expiresAt?.getTime() ?? null,
            asking,
            ...(partner && own !== undefined && { isGone: () => partners.isGone(own) }),
            count: () =>
              new Promise((resolve, reject) => {
                count({ identity, partner, address: address || null }, (refusal) => {
                  if (partner) partners.count(partner, 0, refusal !== null);
                  if (refusal) reject(refusal);
                  else resolve();
                });
              }),
          };
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
