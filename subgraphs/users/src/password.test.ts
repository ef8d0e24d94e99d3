import { setTimeout as pause } from 'node:timers/promises';
import argon2 from '@node-rs/argon2';
import { expect, test } from 'vitest';
import { openPasswords } from './password.ts';

test('a password is kept as argon2id with 19 MiB and two passes, never the same twice', async () => {
  const passwords = await openPasswords();
  const [one, other] = await Promise.all([passwords.hash('secret word'), passwords.hash('secret word')]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(one).not.toBe(other);
  expect(await passwords.matches('secret word', one)).toBe(true);
  expect(await passwords.matches('Secret word', one)).toBe(false);
});

test('without an account the same work is done, and nothing matches', async () => {
  const costs: string[] = [];
  const passwords = await openPasswords({
    hash: argon2.hash,
    verify: (hash, password) => {
      costs.push(String(hash).slice(0, 31));
      return argon2.verify(hash, password);
    },
  });
  const real = await passwords.hash('secret word');
  expect(await passwords.matches('secret word', real)).toBe(true);
  expect(await passwords.matches('secret word', null)).toBe(false);
  expect(costs).toEqual(Array(2).fill('$argon2id$v=19$m=19456,t=2,p=1$'));
});

test('two hashes run at a time, in the order they came, and the 303rd is told to come back', async () => {
  let running = 0;
  let most = 0;
  const ended: number[] = [];
  const passwords = await openPasswords({
    hash: async () => 'nobody',
    verify: async (_hash, password) => {
      running += 1;
      most = Math.max(most, running);
      await pause(1);
      running -= 1;
      ended.push(Number(password));
      return true;
    },
  });
  const all = Array.from({ length: 302 }, (_, index) => passwords.matches(String(index), 'x'));
  await expect(passwords.matches('too many', 'x')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await Promise.all(all);
  expect(most).toBe(2);
  expect(ended).toEqual(Array.from({ length: 302 }, (_, index) => index));
  expect(await passwords.matches('again', 'x')).toBe(true);
});

test('a hash that fails gives its turn to the next', async () => {
  const passwords = await openPasswords({
    hash: async () => 'nobody',
    verify: async (_hash, password) => {
      if (password === 'broken') throw new Error('broken');
      return true;
    },
  });
  const broken = Array.from({ length: 4 }, () => passwords.matches('broken', 'x'));
  const good = passwords.matches('good', 'x');
  expect((await Promise.allSettled(broken)).every(({ status }) => status === 'rejected')).toBe(true);
  expect(await good).toBe(true);
});
