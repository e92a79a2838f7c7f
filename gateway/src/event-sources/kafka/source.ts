import type { MappingView } from '../mapping/mapping-view.ts';
import type { EventSource } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';

/** Apache Kafka: a cluster of one's own, and MSK. A partition is a shard. The client is loaded with the first mapping. */
export const kafka: EventSource = {
  name: 'kafka',
  serves: ({ source }) => source.selfManaged !== undefined || isMskArn(source.eventSourceArn),
  traits: {
    batchSize: 100,
    batchWindowMs: 500,
    dataKeys: ['key', 'value'],
    onMismatch: 'metadataOnly',
    userAction: 'USER_INITIATED',
  },
  open: async (mapping, deps) => {
    const place = {
      servers: serversOf(mapping),
      arn: mapping.source.selfManaged === undefined ? (mapping.source.eventSourceArn ?? null) : null,
    };
    if (mapping.source.kafka?.consumptionMode === 'Queue')
      throw new SourceProblem(
        'InvalidSource',
        'consumptionMode Queue needs share groups, which are not read here: use Stream',
      );
    const { openKafka } = await import('./open.ts');
    return openKafka(mapping, place, deps);
  },
};

const isMskArn = (arn: string | undefined): boolean => arn?.split(':')[2] === 'kafka';

function serversOf({ source }: Pick<MappingView, 'source'>): readonly string[] {
  const servers = source.selfManaged?.bootstrapServers ?? [];
  if (servers.length === 0)
    throw new SourceProblem('InvalidSource', 'nobody says where the brokers of the cluster are');
  return servers;
}
