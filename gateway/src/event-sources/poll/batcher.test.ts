import { expect, test } from '@jest/globals';

import { type BatchDecision, type BatchLimits, ENVELOPE_BYTES, planBatchOf } from './batcher.ts';

const limits: BatchLimits = { maxRecords: 3, windowMs: 1_000, maxBytes: ENVELOPE_BYTES + 100 };
const sizes = (...bytes: number[]) => bytes.map((each) => ({ bytes: each }));
const send = (count: number, why: 'records' | 'bytes' | 'window'): BatchDecision => ({ kind: 'send', count, why });

test.each<
  [
    reason: string,
    bytes: readonly number[],
    nowMs: number,
    over: Partial<BatchLimits>,
    isLast: boolean,
    want: BatchDecision,
  ]
>([
  ['nothing', [], 9_000, {}, false, { kind: 'wait', untilMs: null }],
  ['not full, in its window', [10, 10], 1_999, {}, false, { kind: 'wait', untilMs: 2_000 }],
  ['not full, its window is over', [10, 10], 2_000, {}, false, send(2, 'window')],
  ['no window', [10], 1_000, { windowMs: 0 }, false, send(1, 'window')],
  ['full', [10, 10, 10], 1_000, {}, false, send(3, 'records')],
  ['more than full', [10, 10, 10, 10], 1_000, {}, false, send(3, 'records')],
  ['the third would be too much', [40, 40, 40], 1_000, {}, false, send(2, 'bytes')],
  ['exactly as much as may be', [49, 49], 1_000, {}, false, { kind: 'wait', untilMs: 2_000 }],
  ['one byte more', [49, 50], 1_000, {}, false, send(1, 'bytes')],
  ['one alone is as large as may be', [100], 2_000, {}, false, send(1, 'window')],
  ['one alone is too large', [101, 10], 1_000, {}, false, { kind: 'tooLarge' }],
  ['nothing more will come', [10], 1_000, {}, true, send(1, 'window')],
])('%s', (_reason, bytes, nowMs, over, isLast, want) => {
  const waiting = { records: sizes(...bytes), firstReadMs: bytes.length === 0 ? null : 1_000 };
  expect(planBatchOf(waiting, { ...limits, ...over }, nowMs, isLast)).toEqual(want);
});
