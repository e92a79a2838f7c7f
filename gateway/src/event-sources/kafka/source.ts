import type { MappingView } from '../mapping/mapping-view.ts';
import type { EventSource, OpenDeps } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';
import type { Place } from './open.ts';

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
    const lacks = lackOf(mapping.source.kafka ?? {});
    if (lacks !== null) throw new SourceProblem('InvalidSource', lacks);
    const { openKafka } = await import('./open.ts');
    return openKafka(mapping, placeOf(mapping.source, deps), deps);
  },
};

const isMskArn = (arn: string | undefined): boolean => arn?.split(':')[2] === 'kafka';

/** What a mapping wants and is not here; null = nothing. */
function lackOf({ consumptionMode, schemaRegistry }: NonNullable<MappingView['source']['kafka']>): string | null {
  if (consumptionMode === 'Queue')
    return 'consumptionMode Queue needs share groups, which are not read here: use Stream';
  if (schemaRegistry !== undefined)
    return 'schemaRegistry is not asked here: leave it out, and records reach the function as they were written';
  return null;
}

/** MSK's brokers are found where other services of AWS are: one address of the cluster, `https` for TLS. */
function placeOf({ selfManaged, eventSourceArn = '' }: MappingView['source'], { aws }: OpenDeps): Place {
  if (selfManaged !== undefined) return { servers: selfManaged.bootstrapServers, arn: null, isTls: false };
  const { hostname, port, protocol } = new URL(aws('AWS_ENDPOINT_URL_KAFKA', eventSourceArn).endpoint);
  const isTls = protocol === 'https:';
  return { servers: [`${hostname}:${port || (isTls ? 9094 : 9092)}`], arn: eventSourceArn, isTls };
}
