// The broker itself: topics that several processes want at the same moment.
import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { expect, inject, test } from 'vitest';
import { openBus } from './bus.ts';
import { createLog } from './log.ts';
import { topic } from './messages.ts';

test('new topics are known as soon as they are there, whichever process made them', async () => {
  const brokers = inject('services').kafkaBrokers;
  const prefix = `${randomUUID()}.`;
  const log = createLog('test', 'silent');
  const processes = await Promise.all(
    ['one', 'two', 'three'].map(async (clientId) => {
      // No second try: what is not known at once is an error.
      const admin = new kafkajs.Kafka({ brokers, logLevel: 0, retry: { retries: 0 } }).admin();
      await admin.connect();
      return { bus: await openBus({ brokers, prefix, clientId, log }), admin };
    }),
  );
  try {
    for (let round = 0; round < 3; round++) {
      const topics = Array.from({ length: 12 }, (_, number) => topic(`t-${round}-${number}`, 'id'));
      const names = topics.map(({ name }) => prefix + name);
      const known = processes.map(async ({ bus, admin }) => {
        await bus.ensureTopics(topics);
        const { topics: found } = await admin.fetchTopicMetadata({ topics: names });
        return found.flatMap(({ partitions }) => partitions.filter(({ leader }) => leader >= 0)).length;
      });
      expect(await Promise.all(known)).toEqual([72, 72, 72]);
    }
  } finally {
    await Promise.all(processes.map(({ bus, admin }) => Promise.all([bus.close(), admin.disconnect()])));
  }
});
