// A customer's payment methods: added with what the provider's own form gave to the browser, and removed again.
import { RequestError } from '@orderstream/runtime/errors';
import { newId } from '@orderstream/runtime/ids';
import type { Context } from './context.ts';
import { mostMethods, notUsable, type PaymentMethod, tokenProblem } from './payment-method.ts';
import * as store from './payment-method-store.ts';
import type { Answer, Provider } from './provider.ts';

type Invalid = { readonly error: 'InvalidInput'; readonly problems: { path: string[]; message: string }[] };
type Refused = { readonly error: 'PaymentMethodRefused'; readonly message: string; readonly path: string[] };

const path = ['input', 'providerToken'];

const invalid = (message: string): Invalid => ({ error: 'InvalidInput', problems: [{ path, message }] });

const signedIn = ({ viewer }: Context): string => {
  if (!viewer.userId) throw new RequestError('UNAUTHENTICATED');
  return viewer.userId;
};

const known = <T>(answer: Answer<T>): Exclude<Answer<T>, { kind: 'unknown' }> => {
  if (answer.kind !== 'unknown') return answer;
  throw new RequestError('SUBGRAPH_UNAVAILABLE', 'The payment provider does not answer. Try again.', {
    cause: answer.cause,
  });
};

/** @throws RequestError SUBGRAPH_UNAVAILABLE (retryable) when the provider does not answer in time */
export const addPaymentMethod = async (
  ctx: Context,
  provider: Provider,
  token: string,
): Promise<PaymentMethod | Invalid | Refused> => {
  const userId = signedIn(ctx);
  const { tenantId } = ctx.viewer;
  const problem = tokenProblem(token);
  if (problem) return invalid(problem);
  if ((await store.countMethods(ctx.db, tenantId, userId)) >= mostMethods)
    return invalid(`No more than ${mostMethods} payment methods are kept.`);

  let customer = await store.customerOf(ctx.db, tenantId, userId);
  if (!customer) {
    const made = known(await provider.addCustomer(`cus_${tenantId}_${userId}`, userId));
    if (made.kind === 'refused') throw new Error(`the provider refuses customers: ${made.code}`);
    customer = await store.insertCustomer(ctx.db, tenantId, userId, made.value);
  }
  const attached = known(await provider.attach(token, customer));
  if (attached.kind === 'refused') return { error: 'PaymentMethodRefused', message: attached.message, path };
  const method = await store.insertMethod(ctx.db, tenantId, userId, newId(ctx.now), attached.value);
  return method ?? { error: 'PaymentMethodRefused', message: notUsable, path };
};

/** False where the viewer has no such method. */
export const removePaymentMethod = (ctx: Context, id: string): Promise<boolean> =>
  store.removeMethod(ctx.db, ctx.viewer.tenantId, signedIn(ctx), id);
