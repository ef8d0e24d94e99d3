import argon2 from '@node-rs/argon2';
import type pg from 'pg';
import { copyRows } from './copy.ts';
import { seedId } from './ids.ts';
import { type Person, people, signIns } from './people.ts';

/** The cost that the users subgraph hashes with: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/**
 * The customers of the shop, who have no passwords, and the three accounts to try, who share the given one. Does nothing
 * where there are people already.
 */
export const loadUsers = async (client: pg.ClientBase, tenantId: string, password: string): Promise<void> => {
  const { rowCount } = await client.query('select 1 from users where tenant_id = $1 limit 1', [tenantId]);
  if (rowCount) return;
  const hash = await argon2.hash(password, cost);
  const everybody: Person[] = [...Object.values(signIns), ...people()];
  const canSignIn = new Set(Object.values(signIns).map((person) => person.id));
  await copyPeople(client, tenantId, everybody, ({ id }) => (canSignIn.has(id) ? hash : null));
};

const copyPeople = async (
  client: pg.ClientBase,
  tenantId: string,
  people: readonly Person[],
  passwordHashOf: (person: Person) => string | null,
): Promise<void> => {
  await copyRows(
    client,
    'users',
    ['id', 'tenant_id', 'email', 'display_name', 'password_hash', 'roles', 'created_at'],
    people.map((person) => [
      person.id,
      tenantId,
      person.email,
      person.displayName,
      passwordHashOf(person),
      `{${person.roles.join(',')}}`,
      person.createdAt,
    ]),
  );
  await copyRows(
    client,
    'address',
    ['id', 'tenant_id', 'user_id', 'recipient', 'line1', 'city', 'postcode', 'country', 'saved_at'],
    people.map(({ id, key, address, createdAt }) => [
      seedId('address', key),
      tenantId,
      id,
      address.recipient,
      address.line1,
      address.city,
      address.postcode,
      address.country,
      createdAt,
    ]),
  );
};

/** People without a password, unless they are there already: all of them or none. Answers how many came. */
export const addPeople = async (
  client: pg.ClientBase,
  tenantId: string,
  people: readonly Person[],
): Promise<number> => {
  const [first] = people;
  if (!first || (await client.query('select from users where id = $1', [first.id])).rowCount) return 0;
  await copyPeople(client, tenantId, people, () => null);
  return people.length;
};
