// Networks beside the rules: they learn from what people decided, and say afterwards what they would have said.
import type { Database } from '@orderstream/runtime/database';
import { newTrace } from '@orderstream/runtime/trace';
import { inputNames, inputOf } from './feature.ts';
import { toScore } from './learner.ts';
import * as models from './model-store.ts';
import { saveShadows, unshadowed } from './store.ts';
import type { Study } from './study.ts';

type Store = Pick<Database, 'sql' | 'transaction'>;

/** Trains for one tenant that has new labels; answers for how many it did. */
export const train = async (database: Store, study: Study): Promise<number> => {
  const lease = await models.leaseDue(database.sql);
  if (!lease) return 0;
  const labelled = await models.labelled(database.sql, lease.tenantId);
  const examples = labelled.map(({ features, isFraud, score }) => ({
    input: inputOf(features),
    isFraud,
    score,
  }));
  // The number of labels as the seed: trained again on the same, the network is the same.
  const lesson = await study.learn(examples, inputNames, lease.labels);
  await database.transaction((begin) =>
    models.finishTraining(
      begin({ tenantId: lease.tenantId, ...newTrace(), causationId: null }),
      lease,
      lesson,
    ),
  );
  return 1;
};

const batch = 200;

/** Answers how many assessments it has looked at. A network with other inputs than today's is not asked. */
export const shadow = async ({ sql }: Pick<Database, 'sql'>, study: Study): Promise<number> => {
  let did = 0;
  for (const tenantId of await models.tenantsWithModels(sql)) {
    const rows = await unshadowed(sql, tenantId, batch);
    const model = rows.length > 0 ? await models.latestModel(sql, tenantId) : null;
    if (!model || model.network.inputs.join() !== inputNames.join()) continue;
    const outputs = await study.score(
      model.network,
      rows.map(({ features }) => inputOf(features)),
    );
    const shadows = rows.map(({ id }, index) => ({
      id,
      score: toScore(outputs[index]!, model.network.threshold),
    }));
    await saveShadows(sql, model.version, shadows);
    did += shadows.length;
  }
  return did;
};
