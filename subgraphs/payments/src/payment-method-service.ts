// A customer's payment methods: added with what the provider's own form gave to the browser, and removed again.
import type { Tx } from '@orderstream/runtime/database';
import { RequestError } from '@orderstream/runtime/errors';
import { newId } from '@orderstream/runtime/ids';
import { personOf } from '@orderstream/runtime/viewer';
import type { Context } from './context.ts';
import { mostMethods, notUsable, type PaymentMethod, tokenProblem } from './payment-method.ts';
import * as store from './payment-method-store.ts';
import type { Answer, Provider } from './provider.ts';

type Invalid = { readonly error: 'InvalidInput'; readonly problems: { path: string[]; message: string }[] };
type Refused = { readonly error: 'PaymentMethodRefused'; readonly message: string; readonly path: string[] };

const path = ['input', 'providerToken'];

const invalid = (message: string): Invalid => ({ error: 'InvalidInput', problems: [{ path, message }] });

const known = <T>(answer: Answer<T>): Exclude<Answer<T>, { kind: 'unknown' }> => {
  if (answer.kind !== 'unknown') return answer;
  throw new RequestError('SUBGRAPH_UNAVAILABLE', 'The payment provider does not answer. Try again.', {
    cause: answer.cause,
  });
};

/** The provider's name of the viewer, who gets one first where there is none. */
const nameAtProvider = async (ctx: Context, provider: Provider, userId: string): Promise<string> => {
  const { tenantId } = ctx.viewer;
  const named = (customer: store.Customer): string | null => {
    if (customer.isErased) throw new RequestError('UNAUTHENTICATED');
    return customer.providerId;
  };
  const before = await store.customerOf(ctx.db, tenantId, userId);
  const name = before && named(before);
  if (name) return name;
  const made = known(await provider.addCustomer(`cus_${tenantId}_${userId}`, userId));
  if (made.kind === 'refused') throw new Error(`the provider refuses customers: ${made.code}`);
  return named(await store.insertCustomer(ctx.db, tenantId, userId, made.value))!;
};

/**
 * @throws RequestError SUBGRAPH_UNAVAILABLE (retryable) when the provider does not answer in time, UNAUTHENTICATED also
 * for somebody erased whose access token is still good
 */
export const addPaymentMethod = async (
  ctx: Context,
  provider: Provider,
  token: string,
): Promise<PaymentMethod | Invalid | Refused> => {
  const userId = personOf(ctx.viewer);
  const { tenantId } = ctx.viewer;
  const problem = tokenProblem(token);
  if (problem) return invalid(problem);
  if ((await store.countMethods(ctx.db, tenantId, userId)) >= mostMethods)
    return invalid(`No more than ${mostMethods} payment methods are kept.`);

  const customer = await nameAtProvider(ctx, provider, userId);
  const attached = known(await provider.attach(token, customer));
  if (attached.kind === 'refused') return { error: 'PaymentMethodRefused', message: attached.message, path };
  const method = await store.insertMethod(ctx.db, tenantId, userId, newId(ctx.now), attached.value);
  if (method?.removedAt) throw new RequestError('UNAUTHENTICATED');
  return method ?? { error: 'PaymentMethodRefused', message: notUsable, path };
};

/** False where the viewer has no such method. */
export const removePaymentMethod = (ctx: Context, id: string): Promise<boolean> =>
  store.removeMethod(ctx.db, ctx.viewer.tenantId, personOf(ctx.viewer), id);

/** The provider is told by the job that also forgets single methods. */
export const eraseCustomer = (tx: Tx, tenantId: string, userId: string): Promise<void> =>
  store.eraseMethodsOf(tx, tenantId, userId);
