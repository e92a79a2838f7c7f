import { expect, test } from '@jest/globals';

import type { BatchOutcome } from './batch-outcome.ts';
import { MAX_HELD_MS, type MessageSettings, nextHoldMs, planMessages } from './plan-messages.ts';
import { queueMessage } from './testing-records.ts';

const messages = ['a', 'b', 'c'].map((id) => queueMessage(id));
const answered = (answer: unknown): BatchOutcome => ({
  kind: 'ran',
  answer: Buffer.from(JSON.stringify(answer)),
  executedVersion: '1',
});
const failing = (...ids: string[]): BatchOutcome =>
  answered({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
const refused: BatchOutcome = { kind: 'refused', statusCode: 429 };

test.each<
  [
    reason: string,
    outcome: BatchOutcome,
    settings: Partial<MessageSettings>,
    want: Record<string, string>,
    result: string,
  ]
>([
  ['it went well', answered(null), {}, { delete: 'abc' }, 'ok'],
  ['what it answers counts only where that was agreed', failing('b'), {}, { delete: 'abc' }, 'ok'],
  ['it reports none', answered({}), { reportsFailures: true }, { delete: 'abc' }, 'ok'],
  ['it reports one', failing('b'), { reportsFailures: true }, { delete: 'ac', leave: 'b' }, 'someFailed'],
  ['it reports all', failing('a', 'b', 'c'), { reportsFailures: true }, { delete: '', leave: 'abc' }, 'someFailed'],
  ['it reports one that was not in it', failing('z'), { reportsFailures: true }, { leave: 'abc' }, 'badAnswer'],
  ['it failed', { kind: 'failed', executedVersion: '1' }, {}, { leave: 'abc' }, 'functionFailed'],
  ['no capacity: nothing comes back to the queue', refused, {}, { again: 'abc' }, 'throttled'],
  ['no capacity for six hours', refused, { refusedForMs: MAX_HELD_MS }, { leave: 'abc' }, 'throttled'],
  ['the function is gone', { kind: 'missing' }, {}, { release: 'abc' }, 'throttled'],
  ['a loop', { kind: 'looped' }, {}, { leave: 'abc' }, 'gaveUp'],
])('%s', (_reason, outcome, over, want, result) => {
  const plan = planMessages(messages, outcome, { reportsFailures: false, refusedForMs: 0, ...over });
  const names = (of: readonly { readonly id: string }[]) => of.map(({ id }) => id).join('');
  const got: Record<string, string> = { again: names(plan.again) };
  for (const { action, messages: of } of plan.settle) got[action] = names(of);
  const filled = { again: '', delete: '', leave: '', release: '' };
  expect({ ...filled, ...got }).toEqual({ ...filled, ...want });
  expect(plan.result.kind).toBe(result);
});

test('held when half of the time is over', () => {
  expect(nextHoldMs(1_000, 30_000)).toBe(16_000);
  expect(nextHoldMs(1_000, null)).toBeNull();
});
