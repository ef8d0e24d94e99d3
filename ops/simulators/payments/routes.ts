import type { Call, Reply } from './call.ts';
import { retrieveCharge } from './charges.ts';
import { createCustomer, listCustomers, retrieveCustomer } from './customers.ts';
import { listEvents, retrieveEvent } from './events.ts';
import {
  cancelIntent,
  captureIntent,
  confirmIntent,
  createIntent,
  listIntents,
  retrieveIntent,
  searchIntents,
} from './payment-intents.ts';
import { attachMethod, detachMethod, listMethods, retrieveMethod } from './payment-methods.ts';
import { createRefund, listRefunds, retrieveRefund } from './refunds.ts';

type Operation = (call: Call) => Reply;

/** What is served; `:id` stands for one part of the path. The first match counts. */
const routes: readonly (readonly ['GET' | 'POST', string, Operation])[] = [
  ['POST', '/v1/customers', createCustomer],
  ['GET', '/v1/customers', listCustomers],
  ['GET', '/v1/customers/:id', retrieveCustomer],
  ['GET', '/v1/payment_methods', listMethods],
  ['GET', '/v1/payment_methods/:id', retrieveMethod],
  ['POST', '/v1/payment_methods/:id/attach', attachMethod],
  ['POST', '/v1/payment_methods/:id/detach', detachMethod],
  ['POST', '/v1/payment_intents', createIntent],
  ['GET', '/v1/payment_intents', listIntents],
  ['GET', '/v1/payment_intents/search', searchIntents],
  ['GET', '/v1/payment_intents/:id', retrieveIntent],
  ['POST', '/v1/payment_intents/:id/confirm', confirmIntent],
  ['POST', '/v1/payment_intents/:id/capture', captureIntent],
  ['POST', '/v1/payment_intents/:id/cancel', cancelIntent],
  ['GET', '/v1/charges/:id', retrieveCharge],
  ['POST', '/v1/refunds', createRefund],
  ['GET', '/v1/refunds', listRefunds],
  ['GET', '/v1/refunds/:id', retrieveRefund],
  ['GET', '/v1/events', listEvents],
  ['GET', '/v1/events/:id', retrieveEvent],
];

const compiled = routes.map(([method, path, operation]) => ({
  method,
  operation,
  pattern: new RegExp(`^${path.replace(':id', '([A-Za-z0-9_]{1,100})')}/?$`),
}));

export const routeOf = (method: string, path: string): { operation: Operation; id: string } | undefined => {
  for (const route of compiled) {
    const matched = route.method === method ? route.pattern.exec(path) : null;
    if (matched) return { operation: route.operation, id: matched[1] ?? '' };
  }
  return undefined;
};
