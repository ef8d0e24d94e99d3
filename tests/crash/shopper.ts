// Customers who want what they want: whatever gets no answer is asked again, with the same key.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeId, parseId } from '@orderstream/runtime/ids';
import { accepted, type Client, connect, OperationError, RefusedError } from '../../ops/operations/client.ts';
import {
  AddPaymentMethodDocument,
  CancelOrderDocument,
  CheckoutDocument,
  DecideFraudReviewDocument,
  FraudQueueDocument,
  LoginDocument,
  RegisterDocument,
  SetCartLineDocument,
} from '../../ops/operations/generated/graphql.ts';
import type { Stage } from './stage.ts';

/** milliseconds for which somebody asks again */
const patience = 30_000;

/** The processes behind it come and go; a clear answer, also a no, is an answer. */
const untilAnswered = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
  for (const end = Date.now() + patience; ; await pause(100)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof OperationError) || Date.now() > end) throw error;
    }
  }
};

export type Shopper = {
  readonly client: Client;
  /** the same person, buying with a device that others use, too */
  readonly onSharedDevice: Client;
  /** ids of payment methods */
  readonly good: string;
  readonly declined: string;
};

const doorOf = (gatewayUrl: string) => ({
  url: `${gatewayUrl}/graphql`,
  subscriptionsUrl: `${gatewayUrl.replace('http', 'ws')}/graphql`,
});

export const newShopper = async ({ gatewayUrl }: Pick<Stage, 'gatewayUrl'>): Promise<Shopper> => {
  const where = doorOf(gatewayUrl);
  const visitor = connect(where);
  const { register } = await untilAnswered(() => {
    // Another address each time: the first may have been heard and its answer lost.
    const email = `shopper-${randomUUID()}@example.com`;
    return visitor.send(RegisterDocument, {
      input: { email, password: randomUUID(), displayName: 'Sam Shopper' },
    });
  });
  const token = accepted(register, 'SessionStarted').accessToken;
  const client = connect({ ...where, token });
  const onSharedDevice = connect({ ...where, token, headers: { 'x-device-id': 'shared' } });
  const card = async (providerToken: string): Promise<string> => {
    const { addPaymentMethod } = await untilAnswered(() =>
      client.send(AddPaymentMethodDocument, { input: { providerToken } }),
    );
    return accepted(addPaymentMethod, 'PaymentMethodAdded').method.id;
  };
  return {
    client,
    onSharedDevice,
    good: await card('pm_card_visa'),
    declined: await card('pm_card_chargeCustomerFail'),
  };
};

/** Four at a time: passwords are made to be slow. */
export const newShoppers = async (stage: Pick<Stage, 'gatewayUrl'>, count: number): Promise<Shopper[]> => {
  const shoppers: Shopper[] = [];
  while (shoppers.length < count) {
    const next = Array.from({ length: Math.min(4, count - shoppers.length) }, () => newShopper(stage));
    shoppers.push(...(await Promise.all(next)));
  }
  return shoppers;
};

const shippingAddress = {
  recipient: 'Sam Shopper',
  line1: '1 Mill Lane',
  city: 'York',
  postcode: 'YO1 7HH',
  country: 'GB',
};

export type Wish = {
  /** uuid of the variant */
  readonly variant: string;
  readonly quantity: number;
  readonly card: 'good' | 'declined';
  readonly device?: 'own' | 'shared';
};

/** @returns the order's uuid, or null where the shop says at once that there is nothing left of it */
export const buy = async (
  shopper: Shopper,
  { variant, quantity, card, device = 'own' }: Wish,
): Promise<string | null> => {
  const client = device === 'own' ? shopper.client : shopper.onSharedDevice;
  const line = { variantId: encodeId('variant', variant), quantity };
  try {
    const { setCartLine } = await untilAnswered(() => client.send(SetCartLineDocument, { input: line }));
    const { cart } = accepted(setCartLine, 'CartUpdated');
    const input = {
      idempotencyKey: randomUUID(),
      cartId: cart.id,
      expectedCartVersion: cart.version,
      shippingAddress,
      paymentMethodId: shopper[card],
    };
    const { checkout } = await untilAnswered(() => client.send(CheckoutDocument, { input }));
    return parseId('order', accepted(checkout, 'CheckoutAccepted').order.id);
  } catch (error) {
    if (!(error instanceof RefusedError) || !JSON.stringify(error.refusal).includes('OUT_OF_STOCK'))
      throw error;
    await untilAnswered(() => shopper.client.send(SetCartLineDocument, { input: { ...line, quantity: 0 } }));
    return null;
  }
};

export const cancel = async ({ client }: Shopper, order: string): Promise<void> => {
  const input = { idempotencyKey: randomUUID(), id: encodeId('order', order), reason: 'Changed my mind.' };
  const { cancelOrder } = await untilAnswered(() => client.send(CancelOrderDocument, { input }));
  accepted(cancelOrder, 'OrderCancelRequested');
};

/** uuids of goods of which there are so many */
export const goodsInStock = async ({ rows }: Stage, least: number, most: number): Promise<string[]> => {
  const goods = await rows<{ id: string }>(
    'inventory',
    `select variant_id as id from variant_level l join catalog_variant v using (variant_id)
     where v.active and l.available between $1 and $2 order by v.sku limit 20`,
    [least, most],
  );
  return goods.map(({ id }) => id);
};

/** Somebody of the shop who lets every order go that is held. */
export const approveAll = async ({
  gatewayUrl,
  password,
}: Pick<Stage, 'gatewayUrl' | 'password'>): Promise<number> => {
  const door = doorOf(gatewayUrl);
  const { login } = await untilAnswered(() =>
    connect(door).send(LoginDocument, { input: { email: 'reviewer@example.com', password } }),
  );
  const reviewer = connect({ ...door, token: accepted(login, 'SessionStarted').accessToken });
  const { fraudQueue } = await untilAnswered(() => reviewer.send(FraudQueueDocument, { first: 50 }));
  for (const { node } of fraudQueue.edges)
    await untilAnswered(() =>
      reviewer.send(DecideFraudReviewDocument, { input: { assessmentId: node.id, decision: 'APPROVE' } }),
    );
  await reviewer.close();
  return fraudQueue.edges.length;
};
