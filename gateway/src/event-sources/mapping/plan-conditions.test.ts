import { describe, expect, test } from '@jest/globals';

import { type BatchResult, type FlowObservation, planConditions, resultText } from './plan-conditions.ts';

const flowing: FlowObservation = { generation: 3, state: 'Enabled', problem: null, lastBatch: null };
const denied = { reason: 'AccessDenied', message: 'sqs refused the credentials' } as const;

describe('conditions of a mapping', () => {
  test.each<[reason: string, over: Partial<FlowObservation>, want: readonly object[]]>([
    ['it is polled, nothing came yet', {}, [{ type: 'Ready', status: 'True', reason: 'Polling' }]],
    [
      'the latest batch went well',
      { lastBatch: { kind: 'ok' } },
      [
        { type: 'Succeeding', status: 'True', reason: 'Ok' },
        { type: 'Ready', status: 'True' },
      ],
    ],
    [
      'the function fails: the mapping itself is in order',
      { lastBatch: { kind: 'functionFailed' } },
      [
        { type: 'Succeeding', status: 'False', reason: 'FunctionFailed' },
        { type: 'Ready', status: 'True' },
      ],
    ],
    [
      'the source refuses',
      { problem: denied },
      [{ type: 'Ready', status: 'False', reason: 'AccessDenied', message: 'sqs refused the credentials' }],
    ],
    [
      'nothing is read yet',
      { state: 'Creating' },
      [{ type: 'Ready', status: 'False', reason: 'Starting', message: 'the source is being opened' }],
    ],
    ['a change is on its way: it is read on', { state: 'Updating' }, [{ type: 'Ready', status: 'True' }]],
    ['it is going', { state: 'Deleting', problem: denied }, [{ type: 'Ready', status: 'False', reason: 'Disabled' }]],
    [
      'switched off: what the source says no longer matters',
      { state: 'Disabled', problem: denied },
      [{ type: 'Ready', status: 'False', reason: 'Disabled' }],
    ],
  ])('%s', (_reason, over, want) => {
    const claims = planConditions({ ...flowing, ...over });
    expect(claims).toMatchObject(want);
    for (const { observedGeneration } of claims) expect(observedGeneration).toBe(3);
  });
});

test.each<[result: BatchResult | null, problem: string | null, want: string]>([
  [null, null, 'No records processed'],
  [{ kind: 'ok' }, null, 'OK'],
  [{ kind: 'functionFailed' }, null, 'PROBLEM: Function call failed'],
  [{ kind: 'gaveUp', condition: 'RecordAgeExceeded' }, null, 'PROBLEM: Records were given up: RecordAgeExceeded'],
  [{ kind: 'ok' }, 'there is no queue orders', 'PROBLEM: there is no queue orders'],
])('LastProcessingResult of %j, %s', (result, problem, want) => {
  expect(resultText(result, problem)).toBe(want);
});
