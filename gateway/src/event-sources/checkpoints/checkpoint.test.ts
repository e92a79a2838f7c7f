import { describe, expect, test } from '@jest/globals';

import { sourceRecord } from '../poll/testing-records.ts';
import type { Position } from '../record.ts';
import {
  type Checkpoint,
  checkpointText,
  firstCheckpoint,
  MAX_TRIALS,
  parseCheckpoint,
  type Trial,
} from './checkpoint.ts';
import { type Reformed, reform, trialsOf } from './trials.ts';

test.each<[position: Position]>([
  [{ kind: 'start' }],
  [{ kind: 'since', ms: 5 }],
  [{ kind: 'after', id: '49590338271490256608559692538361571095921575989136588898' }],
])('%j is read as it was written', (position) => {
  const checkpoint: Checkpoint = {
    position,
    isEnd: true,
    trials: [{ first: 'a', last: 'c', attempts: 3 }],
    window: { startMs: 60_000, state: '{"n":1}', isOver: false },
  };
  expect(parseCheckpoint(checkpointText(checkpoint))).toEqual(checkpoint);
  expect(parseCheckpoint(checkpointText(firstCheckpoint(position)))).toEqual(firstCheckpoint(position));
});

test('it stays small', () => {
  const trials = Array.from({ length: 1_000 }, (_, at): Trial => ({ first: `${at}`, last: `${at}`, attempts: 1 }));
  expect(parseCheckpoint(checkpointText({ ...firstCheckpoint({ kind: 'start' }), trials })).trials).toHaveLength(
    MAX_TRIALS,
  );
});

test.each([
  ['null'],
  ['{}'],
  ['{"position": {"kind": "after"}, "trials": []}'],
  ['{"position": {"kind": "start"}}'],
  ['x'],
])('%s is none', (text) => {
  expect(() => parseCheckpoint(text)).toThrow();
});

describe('parts are formed again as they were', () => {
  const trials: readonly Trial[] = [
    { first: 'b', last: 'd', attempts: 4 },
    { first: 'e', last: 'e', attempts: 1 },
  ];
  const shown = (reformed: Reformed): string =>
    reformed.kind === 'part'
      ? `${reformed.part.records.map(({ id }) => id).join('')}×${reformed.part.attempts}`
      : reformed.kind === 'new'
        ? `new ${reformed.most}`
        : reformed.kind;
  test.each<[reason: string, waiting: string, trials: readonly Trial[], want: string]>([
    ['nothing was tried', 'abc', [], 'new 3'],
    ['what was tried before is next', 'bcdef', trials, 'bcd×4'],
    ['a part of one', 'ef', trials, 'e×1'],
    ['a new batch ends before it', 'abcd', trials, 'new 1'],
    ['the rest of it is not read yet', 'bc', trials, 'readMore'],
    ['the rest of it is gone', 'bcefg', trials, 'new 1'],
    ['the rest of it is gone, and nothing more comes', 'bcxyz', trials, 'new 5'],
    ['long past', 'xyz', trials, 'new 3'],
  ])('%s', (reason, waiting, tried, want) => {
    expect(
      shown(
        reform(
          [...waiting].map((id) => sourceRecord(id)),
          tried,
          reason.endsWith('nothing more comes'),
        ),
      ),
    ).toBe(want);
  });

  test('there and back', () => {
    const parts = [
      { records: [...'bcd'].map((id) => sourceRecord(id)), attempts: 4 },
      { records: [sourceRecord('e')], attempts: 1 },
    ];
    expect(trialsOf(parts)).toEqual(trials);
  });
});
