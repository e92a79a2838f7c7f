import { expect, test } from '@jest/globals';
import type { EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';

import type { MappingView } from './mapping-view.ts';
import { mappingObject, queueTraits } from './testing-mapping.ts';
import { viewMapping } from './view-mapping.ts';

test.each<[reason: string, spec: Partial<EventSourceMappingSpec>, want: object]>([
  [
    'what is not said is as the source has it',
    {},
    {
      functionKey: 'default/hello',
      qualifier: null,
      isEnabled: true,
      batch: { maxRecords: 10, windowMs: 0 },
      stream: { maxRetries: null, maxAgeMs: null, bisects: false, windowMs: 0, parallel: 1 },
      maximumConcurrency: null,
      reportsFailures: false,
      filters: [],
      onFailure: null,
    },
  ],
  ['seconds are milliseconds', { maximumBatchingWindowSeconds: 3 }, { batch: { windowMs: 3_000 } }],
  ['no window is one of nothing', { maximumBatchingWindowSeconds: 0 }, { batch: { windowMs: 0 } }],
  [
    '-1 is no limit',
    { maximumRetryAttempts: -1, maximumRecordAgeSeconds: -1 },
    { stream: { maxRetries: null, maxAgeMs: null } },
  ],
  ['limits', { maximumRetryAttempts: 0, maximumRecordAgeSeconds: 60 }, { stream: { maxRetries: 0, maxAgeMs: 60_000 } }],
  ['Kafka with a destination', { topics: ['t'], onFailure: 'kafka://dead' }, { stream: { maxRetries: 10 } }],
  [
    'Kafka with a destination and a limit',
    { topics: ['t'], onFailure: 'kafka://dead', maximumRetryAttempts: 3 },
    { stream: { maxRetries: 3 } },
  ],
  [
    'windows have one lane',
    { tumblingWindowSeconds: 30, parallelizationFactor: 5 },
    { stream: { windowMs: 30_000, parallel: 1 } },
  ],
  ['lanes', { parallelizationFactor: 5 }, { stream: { parallel: 5 } }],
  [
    'a filter that says nothing is none',
    { filters: [{}, { pattern: '{"body":["a"]}' }] },
    { filters: ['{"body":["a"]}'] },
  ],
  [
    'where it begins, if nobody says',
    {},
    { start: { startingPosition: 'LATEST', timestampMs: null, createdMs: 5_000 } },
  ],
  [
    'where it begins',
    { startingPosition: 'AT_TIMESTAMP', startingPositionTimestamp: '1970-01-01T00:00:09Z' },
    { start: { startingPosition: 'AT_TIMESTAMP', timestampMs: 9_000 } },
  ],
  ['switched off', { enabled: false }, { isEnabled: false, isDeleting: false }],
])('%s', (_reason, spec, want) => {
  const view: MappingView = viewMapping(mappingObject(spec), queueTraits);
  expect(view).toMatchObject(want);
});

test('one that is being deleted is not wanted any more', () => {
  const mapping = mappingObject();
  const deleted = { ...mapping, metadata: { ...mapping.metadata, deletionTimestampMs: 9_000 } };
  expect(viewMapping(deleted, queueTraits)).toMatchObject({ isEnabled: false, isDeleting: true });
});

test('what says nothing about the source is no part of it', () => {
  const sources = [{}, { batchSize: 5, filters: [{ pattern: '{"body":["a"]}' }], tags: { a: 'b' } }].map(
    (spec) => viewMapping(mappingObject(spec), queueTraits).source,
  );
  expect(sources).toEqual([sources[0], { eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders' }]);
});
