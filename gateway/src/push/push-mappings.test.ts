import { beforeEach, expect, test } from '@jest/globals';
import { parseEventSourceMapping } from '@kappa/crds/event-source-mapping';

import type { PushMapping } from './push-mapping.ts';
import { PushMappings, type SeenMapping, viewSeen } from './push-mappings.ts';
import type { PushFacts } from './push-status.ts';

const key = 'default/nightly';
let isMine: boolean;
let specs: (PushMapping | null)[];
let told: [uid: string, problem: string | null, hasFunction: boolean][];
let forgotten: string[];
let mappings: PushMappings;
beforeEach(() => {
  isMine = true;
  [specs, told, forgotten] = [[], [], []];
  mappings = new PushMappings({
    isMine: () => isMine,
    hasFunction: ({ functionObjectName }) => functionObjectName === 'hello',
    writer: {
      tell: async ({ uid }, _seen, { problem, hasFunction }: Omit<PushFacts, 'mapping'>) =>
        void told.push([uid, problem, hasFunction]),
      forget: (uid) => void forgotten.push(uid),
    },
    onSpec: (name, mapping) => {
      expect(name).toBe(key);
      if (mapping?.source.kind === 'schedule' && mapping.source.schedule.timezone === 'Nowhere')
        mappings.judge(mapping, 'no such zone');
      else if (mapping !== null) mappings.judge(mapping, null);
      specs.push(mapping);
    },
  });
});

function seen(
  spec: object = {},
  { uid = 'one', generation = 1, ...more }: { uid?: string; generation?: number; deletionTimestamp?: string } = {},
): SeenMapping {
  const metadata = {
    namespace: 'default',
    name: 'nightly',
    uid,
    generation,
    creationTimestamp: '2026-11-22T10:00:00Z',
  };
  return viewSeen(
    parseEventSourceMapping({
      apiVersion: 'kappa.dev/v1alpha1',
      kind: 'EventSourceMapping',
      metadata: { ...metadata, ...more },
      spec: { functionName: 'hello', schedule: { expression: 'rate(1 day)' }, ...spec },
    }),
  );
}

test('a schedule is seen with its defaults', () => {
  mappings.set(key, seen({ qualifier: 'live' }));
  expect(mappings.get(key)).toEqual({
    uid: 'one',
    namespace: 'default',
    name: 'nightly',
    generation: 1,
    createdMs: Date.parse('2026-11-22T10:00:00Z'),
    functionObjectName: 'hello',
    qualifier: 'live',
    isEnabled: true,
    source: { kind: 'schedule', schedule: { expression: 'rate(1 day)', timezone: 'UTC', missed: 'One' } },
    filters: [],
    tokenSecretRef: null,
  });
});

test.each([
  ['s3', { s3: { prefix: 'in/' } }],
  ['sns', { sns: { topicArn: 'arn:aws:sns:us-east-1:123456789012:t' } }],
  ['cloudEvents', { cloudEvents: {} }],
] as const)('%s is seen, one that is deleted is not enabled', (kind, spec) => {
  const of = seen(
    { schedule: undefined, ...spec, filters: [{ pattern: '{}' }, {}] },
    { deletionTimestamp: '2026-11-22T11:00:00Z' },
  );
  expect(of.mapping).toMatchObject({ isEnabled: false, source: { kind }, filters: ['{}'] });
});

test('what is polled is none', () => {
  mappings.set(key, seen({ schedule: undefined, eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:q' }));
  expect(mappings.get(key)).toBeUndefined();
  expect(told).toEqual([]);
});

test('a new status is no news of the spec', () => {
  mappings.set(key, seen());
  mappings.set(key, { ...seen(), status: { state: 'Enabled' } });
  expect(specs).toHaveLength(1);
  mappings.set(key, seen({ enabled: false }, { generation: 2 }));
  mappings.set(key, null);
  expect(specs.map((mapping) => mapping?.isEnabled ?? null)).toEqual([true, false, null]);
  expect(forgotten).toEqual(['one']);
});

test('what is wrong is told until it is mended; a new object of the name begins anew', () => {
  mappings.set(key, seen({ schedule: { expression: 'rate(1 day)', timezone: 'Nowhere' } }));
  mappings.tellAll();
  mappings.set(key, seen({ functionName: 'gone' }, { uid: 'two' }));
  expect(told).toEqual([
    ['one', 'no such zone', true],
    ['one', 'no such zone', true],
    ['two', null, false],
  ]);
  expect(forgotten).toEqual(['one']);
});

test('another gateway tells of what is its own', () => {
  isMine = false;
  mappings.set(key, seen());
  expect(told).toEqual([]);
  isMine = true;
  mappings.tellAll();
  expect(told).toEqual([['one', null, true]]);
});
