import { userError } from '@orderstream/runtime/errors';
import type { Hints } from '@orderstream/runtime/hints';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, parseId } from '@orderstream/runtime/ids';
import { connection, readPage } from '@orderstream/runtime/paging';
import { personOf } from '@orderstream/runtime/viewer';
import type { Assessment } from './assessment.ts';
import type { Context } from './context.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { modelVersions } from './model-store.ts';
import { nameOf } from './model-version.ts';
import { levelOf } from './rules.ts';
import { decideReview } from './service.ts';
import { countQueue, queue } from './store.ts';
import { watchFlagged } from './subscriptions.ts';

const userOf = (id: string | null) => (id ? { id: encodeId('user', id) } : null);

export const createResolvers = (hints: Hints): Resolvers => ({
  Query: {
    fraudQueue: async (_root, args, ctx) => {
      const page = readPage(args, 'rank');
      const rows = await queue(ctx.db, ctx.viewer.tenantId, page);
      return connection(rows, page, ({ rank, id }) => ({ sort: 'rank', at: String(rank), id }));
    },
    fraudModels: (_root, _args, ctx) => modelVersions(ctx.db, ctx.viewer.tenantId),
  },
  Mutation: {
    decideFraudReview: async (_root, { input }, ctx) => {
      const outcome = await decideReview(ctx, {
        assessmentId: decodeId('fraudAssessment', input.assessmentId, ['input', 'assessmentId']),
        decision: input.decision,
        note: input.note?.trim() || null,
        reviewerId: personOf(ctx.viewer),
      });
      if ('error' in outcome) return userError(outcome);
      const assessment = await ctx.loaders.assessment.load(outcome.assessmentId);
      return { __typename: 'FraudReviewDecided', assessment: assessment! };
    },
  },
  Subscription: {
    fraudFlagged: { subscribe: (_root, _args, ctx) => watchFlagged(ctx, hints) },
  },
  FraudAssessment: {
    ...references(
      async (refs: readonly { __typename: 'FraudAssessment'; id: string }[], ctx: Context) =>
        Promise.all(
          refs.map(({ id }) => {
            const uuid = parseId('fraudAssessment', id);
            return uuid && ctx.loaders.assessment.load(uuid);
          }),
        ) as Promise<(Assessment | null)[]>,
    ),
    id: ({ id }) => encodeId('fraudAssessment', id),
    order: ({ orderId }) => ({ id: encodeId('order', orderId) }),
    level: ({ score }) => (score === null ? null : levelOf(score)),
    modelVersion: ({ rulesVersion }) => rulesVersion,
    decidedBy: ({ decidedBy }) => userOf(decidedBy),
    reviewDueAt: ({ dueAt }) => dueAt,
    audit: ({ id }, _args, ctx) => ctx.loaders.audit.load(id),
    shadow: ({ shadowScore, shadowVersion }) =>
      shadowScore === null || shadowVersion === null
        ? null
        : { score: shadowScore, modelVersion: nameOf(shadowVersion) },
  },
  FraudReviewAudit: {
    actor: ({ actor }) => userOf(actor),
  },
  FraudModel: {
    version: ({ version }) => nameOf(version),
  },
  FraudAssessmentConnection: {
    totalCount: (_list, _args, ctx) => countQueue(ctx.db, ctx.viewer.tenantId),
  },
  Order: {
    ...references(async (refs) => refs),
    fraudAssessment: ({ id }, _args, ctx) => {
      const uuid = parseId('order', id);
      return uuid ? ctx.loaders.ofOrder.load(uuid) : null;
    },
  },
  User: {
    ...references(async (refs) => refs),
    riskProfile: ({ id }, _args, ctx) => {
      const uuid = parseId('user', id);
      return uuid ? ctx.loaders.profile.load(uuid) : null;
    },
  },
});
