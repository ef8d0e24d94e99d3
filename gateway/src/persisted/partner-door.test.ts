import { expect, test } from 'vitest';
import type { ClientBook } from './client-book.ts';
import { createPartnerDoor } from './partner-door.ts';
import { createPartners, newKey, type Partner } from './partners.ts';

const partnerOf = (id: string): Partner & { readonly key: string } => ({
  id,
  name: id,
  ...newKey(),
  scopes: new Set(),
  manifest: new Map(),
  perMinute: 1,
  perDay: 1,
  costPerMinute: null,
});
const acme = partnerOf('acme');
const bolt = partnerOf('bolt');

/** knows bolt from the second time on, and says of all others that they are nobody's */
const openBook = () => {
  const counted: unknown[] = [];
  let isRead = false;
  const book: ClientBook = {
    byKey: (key) => (key !== bolt.key ? null : isRead ? bolt : undefined),
    read: async (key) => {
      isRead = true;
      return key === bolt.key ? bolt : null;
    },
    listen: () => undefined,
    count: (...told) => counted.push(told),
    close: async () => undefined,
  };
  return { book, counted };
};

test('keys of the configuration are known at once, those that users keeps once users has been asked', async () => {
  const door = createPartnerDoor(createPartners([acme]), openBook().book);
  expect(door.byKey(acme.key)?.id).toBe('acme');
  expect(door.byKey(bolt.key)).toBeUndefined();
  expect(await door.read(bolt.key)).toBe(bolt);
  expect(door.byKey(bolt.key)).toBe(bolt);
  expect((await door.read(acme.key)).id).toBe('acme');
});

test('a key of nobody is refused, whether it has to be waited for or not', async () => {
  for (const book of [openBook().book, null]) {
    const door = createPartnerDoor(createPartners([acme]), book);
    expect(() => door.byKey('osk_1')).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
    await expect(door.read('osk_1')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  }
});

test('whatever goes on by a key hears that the key is good no more, and asks about it until then', async () => {
  const { book } = openBook();
  let isRevoked = false;
  const door = createPartnerDoor(createPartners([acme]), {
    ...book,
    byKey: (key) => (isRevoked ? null : book.byKey(key)),
  });
  // Forgotten meanwhile: asked about in passing, and good until somebody says otherwise.
  expect(book.byKey(bolt.key)).toBeUndefined();
  expect(door.isGone(bolt.key)).toBe(false);
  await Promise.resolve();
  expect(book.byKey(bolt.key)).toBe(bolt);
  expect(door.isGone(bolt.key)).toBe(false);
  isRevoked = true;
  expect([door.isGone(bolt.key), door.isGone(acme.key)]).toEqual([true, false]);
});

test('usage is counted in whole numbers, and of those only whose keys users keeps', () => {
  const { book, counted } = openBook();
  const partners = createPartners([acme]);
  const door = createPartnerDoor(partners, book);
  door.count(partners.byKey(acme.key)!, 5, false);
  door.count(bolt, 2.6, true);
  expect(counted).toEqual([[bolt, 3, true]]);
});

test('without partners of either kind there is nothing to look at', () => {
  expect(createPartnerDoor(createPartners([]), null).isOpen).toBe(false);
  expect(createPartnerDoor(createPartners([acme]), null).isOpen).toBe(true);
  expect(createPartnerDoor(createPartners([]), openBook().book).isOpen).toBe(true);
});
