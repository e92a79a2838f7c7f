import { beforeEach, expect, test } from '@jest/globals';
import { KubernetesError } from '@kappa/crds/client/errors';
import type { EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import { testMapping } from '../schedules/testing.ts';
import { type PushFacts, PushStatusWriter, planPushStatus } from './push-status.ts';

const nowMs = Date.parse('2026-11-22T10:00:00Z');
const mapping = testMapping();
const s3 = testMapping({}, { source: { kind: 's3', s3: {} } });
const fine = { mapping, problem: null, hasFunction: true };

test.each<[reason: string, facts: PushFacts, state: string, status: string, text: string]>([
  ['Ready', fine, 'Enabled', 'True', 'It fires when it is due.'],
  ['Ready', { ...fine, mapping: s3 }, 'Enabled', 'True', 'It takes what is sent to it.'],
  ['Disabled', { ...fine, mapping: { ...mapping, isEnabled: false } }, 'Disabled', 'False', 'It fires nothing.'],
  ['Disabled', { ...fine, mapping: { ...s3, isEnabled: false } }, 'Disabled', 'False', 'is refused'],
  ['FunctionNotFound', { ...fine, hasFunction: false }, 'Enabled', 'False', 'There is no Function hello.'],
  ['InvalidSource', { ...fine, problem: 'no such zone', hasFunction: false }, 'Enabled', 'False', 'no such zone'],
])('%s: %p', (reason, facts, state, status, text) => {
  const planned = planPushStatus(facts, null, nowMs);
  expect(planned).toMatchObject({ observedGeneration: 1, state, conditions: [{ type: 'Ready', status, reason }] });
  expect(planned.conditions?.[0]?.message).toContain(text);
  expect(planPushStatus(facts, planned, nowMs + 60_000)).toEqual(planned);
});

let clockMs: number;
let written: EventSourceMappingStatus[];
let failure: Error | null;
let problems: unknown[];
let writer: PushStatusWriter;
beforeEach(() => {
  clockMs = nowMs;
  [written, failure, problems] = [[], null, []];
  writer = new PushStatusWriter({
    kubernetes: {
      // only this kind is written
      applyStatus: async (_kind, object) => {
        if (failure !== null) throw failure;
        written.push(object.status as EventSourceMappingStatus);
        return object as never;
      },
    },
    now: () => clockMs,
    onProblem: (err) => void problems.push(err),
  });
});

test('only what has changed is written, and written again when somebody has undone it', async () => {
  await writer.tell(mapping, null, fine);
  await writer.tell(mapping, null, fine); // the watch has not brought it yet
  expect(written).toHaveLength(1);
  await writer.tell(mapping, null, { ...fine, problem: 'no such zone' });
  expect(written.map(({ conditions }) => conditions?.[0]?.reason)).toEqual(['Ready', 'InvalidSource']);
  clockMs += 10_000;
  await writer.tell(mapping, written[1] ?? null, { ...fine, problem: 'no such zone' });
  expect(written).toHaveLength(2);
  await writer.tell(mapping, null, { ...fine, problem: 'no such zone' });
  expect(written).toHaveLength(3);
});

test('what could not be written is tried again; an object that is gone is no problem', async () => {
  failure = new Error('away');
  await writer.tell(mapping, null, fine);
  expect(problems).toEqual([failure]);
  failure = new KubernetesError('gone', 404, 'NotFound');
  await writer.tell(mapping, null, fine);
  expect(problems).toHaveLength(1);
  failure = null;
  await writer.tell(mapping, null, fine);
  expect(written).toHaveLength(1);
});
