// What makes an order suspicious before it is placed: the same device has tried cards on other new accounts.
import { type AddressInput, OrderUpdatedDocument } from '../operations/generated/graphql.ts';
import type { RunningStack } from './running-stack.ts';
import type { Wish } from './scenarios.ts';
import { addCard, fillCart, findGoods, placeOrder, signUp } from './shopper.ts';

/** accounts; more than two others on a device are as suspicious as it gets */
const size = 3;

/** The bank declines their cards, so nothing of this is left in stock or in the money. */
const trial: Wish = {
  search: 'doormat',
  goods: 'in stock',
  quantity: 1,
  leastWorth: 0,
  mostGoods: 1,
  card: 'pm_card_chargeCustomerFail',
};

const tryCard = async (stack: RunningStack, deviceId: string, address: AddressInput): Promise<void> => {
  const { client } = await signUp(stack, deviceId);
  try {
    const cart = await fillCart(client, await findGoods(client, trial), trial);
    const card = await addCard(client, trial.card);
    const { id } = await placeOrder(client, cart, card.id, address);
    for await (const { orderUpdated } of client.watch(OrderUpdatedDocument, { id }))
      if (orderUpdated.waitingFor === null) return;
  } finally {
    await client.close();
  }
};

/** Accounts that try cards from one device and one address; over when all of them were declined. */
export const tryCards = async (
  stack: RunningStack,
  deviceId: string,
  address: AddressInput,
): Promise<number> => {
  await Promise.all(Array.from({ length: size }, () => tryCard(stack, deviceId, address)));
  return size;
};
