import { hash, randomBytes, randomUUID } from 'node:crypto';
import { createLog } from '@orderstream/runtime/log';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClientBook, openClientBook } from './client-book.ts';
import { type ClientTold, NotTaken, type UsageBatch } from './client-door.ts';

const newClient = (name = 'Acme') => {
  const keyPrefix = `osk_${randomBytes(6).toString('hex')}`;
  const key = `${keyPrefix}_${randomBytes(32).toString('base64url')}`;
  const told: ClientTold = {
    id: randomUUID(),
    name,
    keyPrefix,
    keyHash: hash('sha256', key),
    scopes: ['stock:read'],
    perMinute: 600,
    perDay: 1_000,
    costPerMinute: null,
    version: 1,
    operations: [{ id: '1', name: 'A', body: '{ a }' }],
  };
  return { key, told };
};

/** users, as far as a gateway meets it */
const openUsers = () => {
  const clients = new Map<string, ClientTold>();
  const users = {
    clients,
    isAway: false,
    isStrict: false,
    asked: [] as [prefix: string, version: number | undefined][],
    told: [] as UsageBatch[],
    /** called while an answer is on its way */
    underway: (): unknown => undefined,
    ask: async (prefix: string, version: number | undefined) => {
      users.asked.push([prefix, version]);
      const told = clients.get(prefix);
      await users.underway();
      if (users.isAway) throw new Error('away');
      return told ? { ...told, operations: told.version === version ? null : told.operations } : null;
    },
    tell: async (batch: UsageBatch) => {
      await users.underway();
      if (users.isAway) throw new Error('away');
      if (users.isStrict) throw new NotTaken('not sound');
      users.told.push(batch);
    },
  };
  return users;
};

const noon = Date.UTC(2026, 10, 21, 12);
let time: number;
let users: ReturnType<typeof openUsers>;
let book: ClientBook;
beforeEach(() => {
  time = noon;
  users = openUsers();
  book = openClientBook({ door: users, log: createLog('test', 'silent'), clock: () => time });
});
afterEach(() => book.close());

const settled = () => new Promise((resolve) => setImmediate(resolve));
const added = (name?: string) => {
  const client = newClient(name);
  users.clients.set(client.told.keyPrefix, client.told);
  return client;
};
const nextKey = (): string => newClient().key;

describe('a key', () => {
  test('is asked about once, and then known at once', async () => {
    const { key, told } = added();
    expect(book.byKey(key)).toBeUndefined();
    const [one, two] = await Promise.all([book.read(key), book.read(key)]);
    expect(one).toMatchObject({ id: told.id, perMinute: 600, scopes: new Set(['stock:read']) });
    expect(one!.manifest.get('1')!.body).toBe('{ a }');
    expect(two).toBe(one);
    expect(book.byKey(key)).toBe(one);
    expect(users.asked).toEqual([[told.keyPrefix, undefined]]);
  });

  test('that only begins like a known one is nobody’s, and nothing is asked', async () => {
    const { key } = added();
    await book.read(key);
    const wrong = `${key.slice(0, 17)}${newClient().key.slice(17)}`;
    expect(book.byKey(wrong)).toBeNull();
    expect(await book.read(wrong)).toBeNull();
    expect(users.asked).toHaveLength(1);
  });

  test.each([
    '',
    'key_1.x',
    'osk_',
    `osk_0a1b2c3d4e5f_${'x'.repeat(44)}`,
    `osk_0A1B2C3D4E5F_${'x'.repeat(43)}`,
  ])('that is none, such as %j, is nobody’s, and nothing is asked', (text) => {
    expect(book.byKey(text)).toBeNull();
    expect(users.asked).toEqual([]);
  });

  test('of nobody is remembered as such for ten seconds', async () => {
    const { key, told } = newClient();
    expect(await book.read(key)).toBeNull();
    time += 9_999;
    expect(book.byKey(key)).toBeNull();
    users.clients.set(told.keyPrefix, told);
    time += 1;
    expect(book.byKey(key)).toBeUndefined();
    expect(await book.read(key)).toMatchObject({ id: told.id });
  });

  test('that is revoked ends within ten seconds, whether it is used or not', async () => {
    const [busy, idle] = [added(), added()];
    await Promise.all([book.read(busy.key), book.read(idle.key)]);
    users.clients.clear();
    for (let second = 0; second < 10; second++) {
      time += 1_000;
      book.byKey(busy.key);
      await settled();
    }
    expect(book.byKey(busy.key)).toBeNull();
    expect(book.byKey(idle.key)).toBeUndefined();
    expect(await book.read(idle.key)).toBeNull();
  });

  test('counts its ten seconds from when it was asked about, not from when the answer came', async () => {
    const { key } = added();
    users.underway = () => {
      time += 1_500;
    };
    await book.read(key);
    time = noon + 10_000;
    expect(book.byKey(key)).toBeUndefined();
  });

  test('in use is asked about in passing, so that nobody ever waits', async () => {
    const { key, told } = added();
    const first = await book.read(key);
    for (let second = 0; second < 60; second++) {
      time += 1_000;
      expect(book.byKey(key)).toBe(first);
      await settled();
    }
    expect(users.asked.length).toBe(13);
    expect(users.asked.at(-1)).toEqual([told.keyPrefix, 1]);
  });

  test('is told of to who listens: when it is new, and when its operations are', async () => {
    const heard: string[][] = [];
    book.listen(({ manifest }) => heard.push([...manifest.keys()]));
    const { key, told } = added();
    await book.read(key);
    time += 10_000;
    await book.read(key);
    users.clients.set(told.keyPrefix, {
      ...told,
      version: 2,
      operations: [{ id: '2', name: null, body: '{ b }' }],
    });
    time += 10_000;
    await book.read(key);
    expect(heard).toEqual([told.operations!.map(({ id }) => id), ['2']]);
  });

  test('has new operations as soon as their version is heard of', async () => {
    const { key, told } = added();
    await book.read(key);
    users.clients.set(told.keyPrefix, {
      ...told,
      version: 2,
      operations: [{ id: '2', name: null, body: '{ b }' }],
    });
    time += 10_000;
    expect([...(await book.read(key))!.manifest.keys()]).toEqual(['2']);
    expect(users.asked.at(-1)![1]).toBe(1);
  });
});

describe('while users is away', () => {
  test('what is known goes on for five minutes without waiting, and is asked about once a second', async () => {
    const { key } = added();
    const partner = await book.read(key);
    users.isAway = true;
    time += 10_000;
    expect(await book.read(key)).toBe(partner);
    const before = users.asked.length;
    for (let tenth = 0; tenth < 100; tenth++) {
      time += 100;
      expect(book.byKey(key)).toBe(partner);
      await settled();
    }
    expect(users.asked.length - before).toBe(10);
    time = noon + 5 * 60_000 - 1;
    expect(book.byKey(key)).toBe(partner);
    await settled();
    time = noon + 5 * 60_000;
    expect(book.byKey(key)).toBeUndefined();
    await expect(book.read(key)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  });

  test('a key that was not known is nobody’s to tell, and is once users is back', async () => {
    const { key, told } = added();
    users.isAway = true;
    await expect(book.read(key)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    users.isAway = false;
    expect(await book.read(key)).toMatchObject({ id: told.id });
  });

  test('a key that was not in use is asked about first, once users is back', async () => {
    const { key } = added();
    await book.read(key);
    users.isAway = true;
    time += 10_000;
    await book.read(key);
    users.isAway = false;
    time += 1_000;
    book.byKey(key);
    await settled();
    time += 10_000;
    expect(book.byKey(key)).toBeUndefined();
  });

  test('nothing is believed longer than before once users is back', async () => {
    const { key } = added();
    await book.read(key);
    users.isAway = true;
    time += 10_000;
    await book.read(key);
    users.isAway = false;
    users.clients.clear();
    time += 1_000;
    book.byKey(key);
    await settled();
    expect(book.byKey(key)).toBeNull();
  });
});

test('strangers cannot make it ask more than fifty times in a second, and those who are known do not notice', async () => {
  const { key, told } = added();
  await book.read(key);
  const tries = await Promise.allSettled(Array.from({ length: 500 }, () => book.read(nextKey())));
  const refused = tries.filter(({ status }) => status === 'rejected');
  expect(users.asked).toHaveLength(50);
  expect(refused).toHaveLength(451);
  expect(refused[0]).toMatchObject({ reason: { code: 'RATE_LIMITED', extensions: { retryAfterMs: 1_000 } } });
  expect(book.byKey(key)).toMatchObject({ id: told.id });
  time += 1_000;
  expect(await book.read(nextKey())).toBeNull();
});

describe('usage', () => {
  const acme = () => book.read(added().key).then((partner) => partner!);

  test('is told in one batch when the book is closed, a line for each client', async () => {
    const [one, two] = [await acme(), await acme()];
    book.count(one, 5, false);
    book.count(one, 0, true);
    book.count(two, 7, false);
    await book.close();
    expect(users.told.map(({ usage }) => usage)).toEqual([
      [
        { clientId: one.id, day: '2026-11-21', requests: 2, refused: 1, cost: 5 },
        { clientId: two.id, day: '2026-11-21', requests: 1, refused: 0, cost: 7 },
      ],
    ]);
  });

  test('of two days is told of two days', async () => {
    const one = await acme();
    time = Date.UTC(2026, 10, 21, 23, 59, 59, 999);
    book.count(one, 1, false);
    time += 1;
    book.count(one, 2, false);
    await book.close();
    expect(users.told.flatMap(({ usage }) => usage)).toEqual([
      { clientId: one.id, day: '2026-11-21', requests: 1, refused: 0, cost: 1 },
      { clientId: one.id, day: '2026-11-22', requests: 1, refused: 0, cost: 2 },
    ]);
  });

  test('is kept while users is away, under the id that it was told by first', async () => {
    const one = await acme();
    const ids: string[] = [];
    const tell = users.tell;
    users.tell = async (batch) => {
      ids.push(batch.id);
      await tell(batch);
    };
    users.isAway = true;
    book.count(one, 1, false);
    await book.close();
    book.count(one, 2, false);
    users.isAway = false;
    await book.close();
    expect(new Set(ids.slice(0, -1)).size).toBe(1);
    expect(users.told.map(({ usage }) => usage[0]!.cost)).toEqual([1, 2]);
    await book.close();
    expect(users.told).toHaveLength(2);
  });

  test('is kept however long users is away, in a line for each client and day', async () => {
    const one = await acme();
    users.isAway = true;
    for (let times = 0; times < 50; times++) {
      book.count(one, 1, false);
      await book.close();
    }
    users.isAway = false;
    await book.close();
    expect(users.told.map(({ usage }) => usage.map(({ requests }) => requests))).toEqual([[1], [49]]);
  });

  test('counted while it is being told is told later, and not twice', async () => {
    const one = await acme();
    book.count(one, 1, false);
    users.underway = () => {
      users.underway = () => undefined;
      book.count(one, 10, false);
    };
    await book.close();
    expect(users.told.map(({ usage }) => usage[0]!.cost)).toEqual([1, 10]);
  });

  test('that is not taken does not hold up what comes after it', async () => {
    const one = await acme();
    users.isStrict = true;
    book.count(one, 1, false);
    await book.close();
    users.isStrict = false;
    book.count(one, 2, false);
    await book.close();
    expect(users.told.map(({ usage }) => usage[0]!.cost)).toEqual([2]);
  });

  test('of many clients goes in batches of a thousand', async () => {
    const partner = await acme();
    for (let i = 0; i < 2_500; i++) book.count({ ...partner, id: `${i}` }, 1, false);
    await book.close();
    expect(users.told.map(({ usage }) => usage.length)).toEqual([1_000, 1_000, 500]);
  });
});
