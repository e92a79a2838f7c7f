import { type metadataV9, ResponseError } from '@platformatic/kafka';

import type { Address } from './connections.ts';

/** Brokers that lead the partitions of a topic; null = none does now. */
export type Leaders = ReadonlyMap<number, Address | null>;

/** What a broker says of one topic. Pure. */
export function leadersOf({ brokers, topics }: Pick<metadataV9.MetadataResponse, 'brokers' | 'topics'>): Leaders {
  const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
  const partitions = topics[0]?.partitions ?? [];
  return new Map(partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, addresses.get(leaderId) ?? null]));
}

/**
 * The answer in an error of the client, which rejects all of it when one partition has no leader: the others are read on.
 *
 * @throws the error when it is the topic's, or another one
 */
export function layoutWithin(error: unknown): metadataV9.MetadataResponse {
  if (!(error instanceof ResponseError)) throw error;
  const answer: metadataV9.MetadataResponse = error['response'];
  if (answer.topics[0]?.errorCode !== 0) throw error;
  return answer;
}
