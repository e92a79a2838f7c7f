import { dynamodb } from './dynamodb/source.ts';
import { kafka } from './kafka/source.ts';
import { kinesis } from './kinesis/source.ts';
import type { MappingView } from './mapping/mapping-view.ts';
import { rabbitmq } from './rabbitmq/source.ts';
import { redisStreams } from './redis-streams/source.ts';
import type { EventSource } from './source.ts';
import { sqs } from './sqs/source.ts';

/** All sources there are. The only place that names them: a new one is its folder, an import and an entry here. */
export const eventSources: readonly EventSource[] = [sqs, kinesis, dynamodb, kafka, rabbitmq, redisStreams];

/** The source that a mapping reads; null = there is none for what it names. */
export function sourceOf(
  mapping: Pick<MappingView, 'source'>,
  sources: readonly EventSource[] = eventSources,
): EventSource | null {
  return sources.find((source) => source.serves(mapping)) ?? null;
}
