import type { Database } from '@orderstream/runtime/database';
import type { MessageType } from '@orderstream/runtime/messages';
import type { Job } from '@orderstream/runtime/subgraph';
import type { Errands } from './errands-service.ts';
import { AuthorizePayment, RefundPayment, VoidPayment } from './messages.ts';
import type { News } from './news-service.ts';
import { forgetWebhookEvents } from './webhook-store.ts';

/** Only the messages' names matter to a job, whatever they carry. */
const hearing = (...messages: readonly { readonly type: string }[]) =>
  messages as unknown as readonly MessageType<never>[];

const hourMs = 60 * 60 * 1000;

export const createJobs = (database: Database, errands: Errands, news: News): Job[] => [
  {
    name: 'settle payments',
    everyMs: 100,
    wokenBy: hearing(AuthorizePayment, VoidPayment),
    run: errands.settlePayments,
  },
  { name: 'settle refunds', everyMs: 200, wokenBy: hearing(RefundPayment), run: errands.settleRefunds },
  { name: 'read webhooks', everyMs: 100, run: news.readEvents },
  { name: 'reconcile', everyMs: 5_000, run: errands.reconcile },
  { name: 'forget methods', everyMs: 2_000, run: errands.forgetMethods },
  { name: 'forget webhooks', everyMs: hourMs, run: () => forgetWebhookEvents(database) },
];
