import { describe, expect, test } from '@jest/globals';
import { type Change, History } from './history.ts';

const change = (version: number): Change => ({
  version,
  type: 'MODIFIED',
  object: {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'a', uid: '', resourceVersion: String(version), creationTimestamp: '' },
  },
  before: null,
});

function filled(limit: number, versions: readonly number[]): History {
  const history = new History(limit, 10);
  for (const version of versions) history.append(change(version));
  return history;
}

describe('History', () => {
  test.each<[reason: string, versions: number[], from: number, want: number | null]>([
    ['an empty history goes on from its start', [], 10, 0],
    ['nothing before the start is known', [], 9, null],
    ['a version between two changes means the later one', [12, 15], 13, 1],
    ['the version of a change means the one after it', [12, 15], 12, 1],
    ['the newest version means what comes next', [12, 15], 15, 2],
    ['a change that fell out is gone', [12, 15, 16, 17], 11, null],
    ['everything after the last one that fell out is there', [12, 15, 16, 17], 12, 1],
  ])('%s', (_reason, versions, from, want) => {
    expect(filled(3, versions).positionAfter(from)).toBe(want);
  });

  test('a position that was overwritten gives nothing', () => {
    const history = filled(2, [11, 12, 13]);
    expect([history.at(0), history.at(1)?.version, history.at(2)?.version, history.at(3)]).toEqual([
      undefined,
      12,
      13,
      undefined,
    ]);
  });

  test('forgetting moves the start', () => {
    const history = filled(3, [11, 12]);
    history.forget(20);
    expect([history.positionAfter(19), history.positionAfter(20), history.completeSince]).toEqual([null, 0, 20]);
  });
});
