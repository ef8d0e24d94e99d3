import type Stripe from 'stripe';
import { newId } from './book.ts';
import { type Call, type Reply, seconds } from './call.ts';
import { resourceMissing } from './errors.ts';
import { listed } from './lists.ts';
import { allowOnly, metadata, strings, text } from './parameters.ts';

type CustomerRow = {
  readonly seq: number;
  readonly id: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly description: string | null;
  readonly metadata: string;
  readonly created: number;
};

const show = (row: CustomerRow): Stripe.Customer => ({
  id: row.id,
  object: 'customer',
  address: null,
  balance: 0,
  created: row.created,
  currency: null,
  default_source: null,
  delinquent: false,
  description: row.description,
  email: row.email,
  invoice_settings: {
    custom_fields: null,
    default_payment_method: null,
    footer: null,
    rendering_options: null,
  },
  livemode: false,
  metadata: JSON.parse(row.metadata),
  name: row.name,
  phone: null,
  preferred_locales: [],
  shipping: null,
  tax_exempt: 'none',
  test_clock: null,
});

export const customerOf = (call: Call, id: string, param = 'customer'): Stripe.Customer => {
  const row = call.book.get<CustomerRow>('select * from customer where id = ?', id);
  if (!row) throw resourceMissing('customer', id, param);
  return show(row);
};

export const createCustomer = (call: Call): Reply => {
  const { book, params } = call;
  allowOnly(params, ['email', 'name', 'description', 'metadata', 'expand']);
  strings(params, 'expand');
  const id = newId('cus_', 14);
  book.run(
    'insert into customer (id, email, name, description, metadata, created) values (?, ?, ?, ?, ?, ?)',
    id,
    text(params, 'email', 512),
    text(params, 'name', 256),
    text(params, 'description'),
    JSON.stringify(metadata(params)),
    seconds(call),
  );
  return { status: 200, body: customerOf(call, id) };
};

export const retrieveCustomer = (call: Call): Reply => ({
  status: 200,
  body: customerOf(call, call.id, 'id'),
});

export const listCustomers = (call: Call): Reply => {
  const email = text(call.params, 'email');
  return listed<CustomerRow>(call, {
    table: 'customer',
    url: '/v1/customers',
    allowed: ['email'],
    filters: email === null ? {} : { email },
    show,
  });
};
