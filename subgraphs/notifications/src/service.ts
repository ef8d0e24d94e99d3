import type { Heard } from '@orderstream/runtime/subgraph';
import { NotificationSent, NotificationStored, type NotifyCustomer } from './messages.ts';
import { channel } from './notification.ts';
import { addAll } from './store.ts';

type Asked = Heard<Parameters<typeof NotifyCustomer>[0]>;

/** Each bears its message's id, so that hearing it again adds nothing; an order's news of one kind is told once, refunds apart. */
export const notifyAll = async (heard: readonly Asked[]): Promise<void> => {
  const [first] = heard;
  if (!first) return;
  const numbers = await addAll(
    first.tx,
    heard.map(({ message: { id, tenantId, data } }) => ({ tenantId, facts: { id, ...data } })),
  );
  for (const { tx, message } of heard) {
    const { orderId, customerId, kind } = message.data;
    const seq = numbers.get(message.id);
    if (seq === undefined) continue;
    // Should it stand twice among these, it is told once.
    numbers.delete(message.id);
    await tx.send(
      NotificationSent({ orderId, notificationId: message.id, kind, channel }),
      NotificationStored({ customerId, notificationId: message.id }, seq),
    );
  }
};
