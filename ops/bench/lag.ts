// How far behind its topics each group is. Not by the runtime's bus: every topic is asked once for all groups, so that
// looking four times a second costs the broker little.
import kafkajs from 'kafkajs';

export type LagWatch = {
  /** Messages that a group has not yet committed, by group. */
  readonly look: () => Promise<Record<string, number>>;
  readonly close: () => Promise<void>;
};

export const watchLag = async (brokers: readonly string[], groups: readonly string[]): Promise<LagWatch> => {
  const kafka = new kafkajs.Kafka({
    clientId: 'bench',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  const described = await admin.describeGroups([...groups]);
  const listening = described.groups.map(({ groupId, members }) => ({
    groupId,
    topics: [
      ...new Set(
        members.flatMap(
          ({ memberMetadata }) =>
            kafkajs.AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
        ),
      ),
    ],
  }));
  const topics = [...new Set(listening.flatMap((group) => group.topics))];
  return {
    look: async () => {
      // The groups first: what comes in between counts as not yet heard, and never as heard too early.
      const committed = await Promise.all(listening.map((group) => admin.fetchOffsets(group)));
      const ends = new Map(
        await Promise.all(
          topics.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const),
        ),
      );
      return Object.fromEntries(
        listening.map(({ groupId }, index) => [
          groupId,
          committed[index]!.flatMap(({ topic, partitions }) =>
            ends.get(topic)!.map(({ partition, high, low }) => {
              const offset = Number(partitions.find((own) => own.partition === partition)?.offset ?? -1);
              return Number(high) - (offset < 0 ? Number(low) : offset);
            }),
          ).reduce((sum, behind) => sum + behind, 0),
        ]),
      );
    },
    close: () => admin.disconnect(),
  };
};
