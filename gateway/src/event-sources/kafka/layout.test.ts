import { expect, test } from '@jest/globals';
import { type metadataV9, ResponseError } from '@platformatic/kafka';

import { layoutWithin, leadersOf } from './layout.ts';

const METADATA = 3;

/** Of a topic with the error, whose partitions are led by these. */
function answer(errorCode: number, ...leaderIds: readonly number[]): metadataV9.MetadataResponse {
  const lists = { replicaNodes: [], isrNodes: [], offlineReplicas: [] };
  const partitions = leaderIds.map((leaderId, partitionIndex) => ({
    ...{ partitionIndex, leaderId, leaderEpoch: 0, ...lists },
    errorCode: leaderId === -1 ? 5 : 0,
  }));
  return {
    throttleTimeMs: 0,
    brokers: [1, 2].map((nodeId) => ({ nodeId, host: `b${nodeId}`, port: 9092, rack: null })),
    clusterId: null,
    controllerId: 1,
    topics: [{ errorCode, name: 't', topicId: '', isInternal: false, partitions, topicAuthorizedOperations: 0 }],
    clusterAuthorizedOperations: 0,
  };
}

test('a partition without a leader holds up no other', () => {
  const said = answer(0, 1, -1, 2, 9);
  const error = new ResponseError(METADATA, 9, { '/topics/0/partitions/1': [5, null] }, said);
  expect([...leadersOf(layoutWithin(error))]).toEqual([
    [0, { host: 'b1', port: 9092 }],
    [1, null],
    [2, { host: 'b2', port: 9092 }],
    [3, null],
  ]);
});

test.each<[reason: string, error: Error]>([
  ["the topic's own", new ResponseError(METADATA, 9, { '/topics/0': [3, null] }, answer(3))],
  ['another one', new Error('Connection closed')],
])('an error is told: %s', (_reason, error) => {
  expect(() => layoutWithin(error)).toThrow(error);
});
