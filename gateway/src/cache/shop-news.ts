// What the shop tells of changes, heard so that the entity cache forgets what is not so any more. Whoever changes a good
// has told it before anybody asks anew: the message is in the same transaction as the change.
import { type Bus, type Incoming, openBus } from '@orderstream/runtime/bus';
import { encodeId } from '@orderstream/runtime/ids';
import type { Log } from '@orderstream/runtime/log';
import { envelope, type Topic, topic } from '@orderstream/runtime/messages';
import { sleep, within } from '@orderstream/runtime/time';
import { z } from 'zod';
import type { Key } from './entity-keys.ts';
import type { EntityStore } from './entity-store.ts';

type Entity = { readonly subgraph: string; readonly type: string; readonly key: Key };

type Piece = {
  /** as its owner has it */
  readonly topic: Topic;
  readonly type: string;
  readonly v: number;
  /** what is not as it was; throws for what it cannot read */
  readonly changed: (data: unknown) => Entity[];
};

const variant = z.object({ variantId: z.uuid(), productId: z.uuid(), sku: z.string() });

/** A product lists what can be bought of it, and at what price. */
const variantChanged = (data: unknown): Entity[] => {
  const { variantId, productId, sku } = variant.parse(data);
  return [
    { subgraph: 'catalog', type: 'Variant', key: { id: encodeId('variant', variantId) } },
    { subgraph: 'catalog', type: 'Variant', key: { sku } },
    { subgraph: 'catalog', type: 'Product', key: { id: encodeId('product', productId) } },
  ];
};

const catalogChanges = topic('catalog-changes', 'variantId', { compacted: true });

export const pieces: readonly Piece[] = [
  { topic: catalogChanges, type: 'catalog.variant-changed', v: 1, changed: variantChanged },
];

const pieceOf = new Map(pieces.map((piece) => [`${piece.type} ${piece.v}`, piece]));

/**
 * Milliseconds for which a subgraph may still answer from what it remembers itself; whoever asked it in that time may have
 * been told what was so before, and so everything is forgotten once more when the time is over.
 */
const lag = 11_000;

/** Milliseconds; nothing is kept that long, so what changed before is known to nobody any more. */
const longAgo = 25 * 60 * 60 * 1_000;

type Change = { readonly entities: readonly Entity[]; readonly ageMs: number };

/** No entities for what is of no interest. @throws for what cannot be read */
const changeIn = ({ value }: Incoming, now: number): Change => {
  const { type, v, data, occurredAt } = envelope.parse(JSON.parse(value));
  const ageMs = now - Date.parse(occurredAt);
  const piece = ageMs < longAgo ? pieceOf.get(`${type} ${v}`) : undefined;
  return { entities: piece?.changed(data) ?? [], ageMs };
};

export type NewsOptions = {
  readonly store: Pick<EntityStore, 'forget' | 'identity'>;
  readonly brokers: readonly string[];
  /** before names of topics and groups */
  readonly prefix: string;
  readonly log: Log;
  /** milliseconds */
  readonly lagMs?: number;
};

export type News = {
  /** Whether news come. Without them everything is kept as long as the supergraph says. */
  readonly isHeard: () => boolean;
  readonly stop: () => Promise<void>;
};

/** Does not wait for the broker: it is asked until it is there. */
export const hearShopNews = ({ store, brokers, prefix, log, lagMs = lag }: NewsOptions): News => {
  let bus: Bus | null = null;
  let isHeard = false;
  let isStopped = false;
  const again = new Set<NodeJS.Timeout>();

  const forget = (entities: readonly Entity[]): Promise<unknown> =>
    Promise.all(entities.map(({ subgraph, type, key }) => store.forget(subgraph, type, key)));

  const forgetLater = (entities: readonly Entity[]): void => {
    const timer = setTimeout(() => {
      again.delete(timer);
      forget(entities).catch((error: unknown) =>
        log.warn({ err: error }, 'entities were forgotten once only'),
      );
    }, lagMs);
    again.add(timer);
  };

  const untilForgotten = async (entities: readonly Entity[], beat: () => Promise<void>): Promise<void> => {
    for (let pause = 100; !isStopped; pause = Math.min(pause * 2, 2_000)) {
      try {
        await forget(entities);
        return;
      } catch (error) {
        log.warn({ err: error }, 'what changed cannot be forgotten yet');
        await sleep(pause);
        await beat();
      }
    }
    // It is not committed, and heard by whoever comes next.
    throw new Error('stopped before what changed was forgotten');
  };

  const onBatch = async (batch: readonly Incoming[], beat: () => Promise<void>): Promise<void> => {
    const now = Date.now();
    const changes = batch.flatMap((incoming) => {
      try {
        return [changeIn(incoming, now)];
      } catch (error) {
        const { topic, partition, offset } = incoming;
        log.error({ err: error, topic, partition, offset }, 'news that cannot be read');
        return [];
      }
    });
    const entities = changes.flatMap((change) => change.entities);
    if (entities.length === 0) return;
    await untilForgotten(entities, beat);
    const fresh = changes.flatMap((change) => (change.ageMs < lagMs ? change.entities : []));
    if (fresh.length > 0) forgetLater(fresh);
  };

  const listen = async (): Promise<void> => {
    // One group for each cache: whichever of its gateways hears of a change, all of them forget.
    const group = `gateway-cache-${await store.identity()}`;
    bus ??= await openBus({ brokers, prefix, clientId: 'gateway', log });
    const topics = [...new Set(pieces.map((piece) => piece.topic))];
    // Its owner may not have been there yet.
    await bus.ensureTopics(topics);
    await bus.consume({ group, topics: topics.map(({ name }) => name), onBatch });
  };

  const listening = (async () => {
    for (let pause = 250; !isStopped; pause = Math.min(pause * 2, 5_000)) {
      try {
        await listen();
        isHeard = true;
        return;
      } catch (error) {
        log.warn({ err: error }, 'no news of the shop yet: what is kept is kept for its time');
        await sleep(pause);
      }
    }
  })();

  return {
    isHeard: () => isHeard,
    stop: async () => {
      isStopped = true;
      for (const timer of again) clearTimeout(timer);
      await within(5_000, 'hearing news', listening).catch(() => undefined);
      await bus?.close();
    },
  };
};
