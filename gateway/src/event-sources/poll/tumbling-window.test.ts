import { describe, expect, test } from '@jest/globals';

import {
  afterCall,
  MAX_STATE_BYTES,
  type OpenWindow,
  planWindow,
  readState,
  type WindowCall,
  type WindowSituation,
  windowMembers,
} from './tumbling-window.ts';

const minute = 60_000;
const open: OpenWindow = { startMs: minute, state: '{"n":1}', isOver: false };
const at = (...seconds: number[]) => seconds.map((each) => ({ arrivedMs: each * 1_000 }));
const quiet: WindowSituation = {
  open: null,
  waiting: [],
  lengthMs: minute,
  nowMs: 100_000,
  isCaughtUp: false,
  isEnd: false,
  isBatchDue: true,
};
const call = (count: number, isFinal = false, isEarly = false): Omit<WindowCall, 'window'> => ({
  count,
  isFinal,
  isEarly,
});

describe('the next call', () => {
  test.each<[reason: string, over: Partial<WindowSituation>, want: Omit<WindowCall, 'window'> | null]>([
    ['nothing at all', {}, null],
    ['the first records open a window', { waiting: at(61, 119) }, call(2)],
    ['the batch is not due', { waiting: at(61), isBatchDue: false }, null],
    ['up to the first of a later window', { waiting: at(61, 119, 121) }, call(2, true)],
    ['a later one ends the window at once, due or not', { open, waiting: at(121), isBatchDue: false }, call(0, true)],
    ['a late one counts for the open window', { open, waiting: at(30, 70) }, call(2)],
    ['its time is over, but more may be there', { open, nowMs: 130_000 }, null],
    ['its time is over, and all was read', { open, nowMs: 120_000, isCaughtUp: true }, call(0, true)],
    ['all was read, its time is not over', { open, nowMs: 119_999, isCaughtUp: true }, null],
    ['the shard has ended within it', { open, isEnd: true }, call(0, true, true)],
    ['the shard has ended after it', { open, isEnd: true, nowMs: 130_000 }, call(0, true)],
    ['its state was too large', { open: { ...open, isOver: true }, waiting: at(70) }, call(0, true, true)],
  ])('%s', (_reason, over, want) => {
    const got = planWindow({ ...quiet, ...over });
    if (want === null) expect(got).toBeNull();
    else expect(got).toMatchObject({ ...want, window: { startMs: minute } });
  });
});

test('a window of records ends with those behind it, none is lost', () => {
  let waiting = at(61, 119, 121, 250);
  let window: OpenWindow | null = null;
  const calls: string[] = [];
  for (let step = 0; step < 10; step += 1) {
    const next: WindowCall | null = planWindow({ ...quiet, open: window, waiting, nowMs: 400_000, isCaughtUp: true });
    if (next === null) break;
    calls.push(`${next.window.startMs / 1_000}:${next.count}${next.isFinal ? '!' : ''}`);
    waiting = waiting.slice(next.count);
    window = afterCall(next, '{}');
  }
  expect(calls).toEqual(['60:2!', '120:1!', '240:1', '240:0!']);
});

test('the state of a window', () => {
  const running: WindowCall = { window: open, ...call(2) };
  expect(afterCall(running, '{"n":3}')).toEqual({ ...open, state: '{"n":3}' });
  expect(afterCall(running, `"${'x'.repeat(MAX_STATE_BYTES)}"`)).toEqual({ ...open, isOver: true });
  expect(afterCall({ ...running, isFinal: true }, '{"n":3}')).toBeNull();
  expect(readState(Buffer.from('{"state": {"n": 2}, "x": 1}'))).toBe('{"n":2}');
  expect(readState(Buffer.from('{"n": 2}'))).toBeNull();
  expect(readState(Buffer.from('null'))).toBeNull();
  expect(readState(Buffer.from('{'))).toBeNull();
});

test('what the function sees of it', () => {
  const call = { window: open, count: 2, isFinal: true, isEarly: false };
  expect(windowMembers(call, { shardId: 's-0', arn: 'arn:s', lengthMs: minute })).toEqual({
    window: { start: '1970-01-01T00:01:00Z', end: '1970-01-01T00:02:00Z' },
    state: { n: 1 },
    shardId: 's-0',
    eventSourceARN: 'arn:s',
    isFinalInvokeForWindow: true,
    isWindowTerminatedEarly: false,
  });
});
