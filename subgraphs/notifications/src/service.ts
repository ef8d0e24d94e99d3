import type { Tx } from '@orderstream/runtime/database';
import type { Envelope } from '@orderstream/runtime/messages';
import { NotificationSent, NotificationStored, type NotifyCustomer } from './messages.ts';
import { channel } from './notification.ts';
import { add } from './store.ts';

type Asked = Pick<Envelope<Parameters<typeof NotifyCustomer>[0]>, 'id' | 'tenantId' | 'data'>;

/** Bears the message's id, so that hearing it again adds nothing; an order's news of one kind is told once, refunds apart. */
export const notify = async (tx: Tx, { id, tenantId, data }: Asked): Promise<void> => {
  const seq = await add(tx, tenantId, { id, ...data });
  if (seq === null) return;
  const { orderId, customerId, kind } = data;
  await tx.send(
    NotificationSent({ orderId, notificationId: id, kind, channel }),
    NotificationStored({ customerId, notificationId: id }, seq),
  );
};
