// The book that the money of captures and refunds is entered in. Entries are only ever added.
import type { Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import { captureEntries, type Entry, refundEntries } from './ledger.ts';
import type { Payment } from './payment.ts';
import type { Refund } from './refund.ts';

const book = (tx: Tx, payment: Payment, refundId: string | null, entries: readonly Entry[]): void => {
  const txn = newId();
  tx.write`
    with booked as (
      insert into ledger_txn (id, tenant_id, payment_id, refund_id, kind)
      values (${txn}, ${payment.tenantId}, ${payment.id}, ${refundId}, ${refundId ? 'REFUND' : 'CAPTURE'}))
    insert into ledger_entry (txn_id, line, tenant_id, account, currency, amount_minor)
    select ${txn}, line, ${payment.tenantId}, account, currency, amount_minor
    from unnest(${entries.map(({ account }) => account)}::text[],
      ${entries.map(({ amount }) => amount.currency)}::text[],
      ${entries.map(({ amount }) => amount.amountMinor)}::bigint[])
      with ordinality as entry (account, currency, amount_minor, line)`;
};

/** Once for each payment; the database refuses a second time. */
export const bookCapture = (tx: Tx, payment: Payment): void =>
  book(tx, payment, null, captureEntries(payment.captured));

/** Once for each refund; the database refuses a second time. */
export const bookRefund = (tx: Tx, payment: Payment, refund: Refund): void =>
  book(tx, payment, refund.id, refundEntries(refund.amount));
