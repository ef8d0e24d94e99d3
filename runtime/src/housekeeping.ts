import type { Database } from './database.ts';
import type { Job } from './subgraph.ts';

/** Rows at a time, so that no lock is held for long. */
const most = 5_000;

/**
 * Forgets what is too old to matter: messages heard two weeks ago (the broker keeps them for one) and answers given a
 * week ago. Orders keep their own keys for ever.
 */
export const housekeeping = (database: Database): Job => ({
  name: 'housekeeping',
  everyMs: 10 * 60_000,
  run: async () => {
    const heard = await database.sql`
      delete from plumbing.inbox where message_id in (
        select message_id from plumbing.inbox where received_at < now() - interval '14 days' limit ${most})
      returning 1`;
    const answered = await database.sql`
      delete from plumbing.idempotency where ctid in (
        select ctid from plumbing.idempotency where created_at < now() - interval '7 days' limit ${most})
      returning 1`;
    // A full batch means that there is more.
    return Math.max(heard.length, answered.length) === most ? 1 : 0;
  },
});
