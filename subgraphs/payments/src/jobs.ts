import type { Database } from '@orderstream/runtime/database';
import type { Job } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import type { Errands } from './errands-service.ts';
import { AuthorizePayment, CapturePayment, ProviderCalled, RefundPayment, VoidPayment } from './messages.ts';
import type { News } from './news-service.ts';
import { forgetWebhookEvents } from './webhook-store.ts';

const hourMs = 60 * 60 * 1000;

export const createJobs = (database: Database, errands: Errands, news: News): Job[] => [
  {
    name: 'settle payments',
    everyMs: 100,
    wokenBy: [AuthorizePayment, CapturePayment, VoidPayment],
    run: errands.settlePayments,
  },
  { name: 'settle refunds', everyMs: 200, wokenBy: [RefundPayment], run: errands.settleRefunds },
  // The clock finds those whose message comes late, and those that failed before.
  { name: 'read webhooks', everyMs: 200, wokenBy: [ProviderCalled], run: news.readEvents },
  { name: 'reconcile', everyMs: 5_000, run: errands.reconcile },
  { name: 'forget methods', everyMs: 2_000, wokenBy: [UserErased], run: errands.forgetMethods },
  { name: 'forget webhooks', everyMs: hourMs, run: () => forgetWebhookEvents(database) },
];
