import { expect, test } from '@jest/globals';
import { judgeResize, resizeWaitMs, type SizedPod } from './resize.ts';

const now = 1_000_000;
const sized = (overrides: Partial<SizedPod> = {}): SizedPod => ({
  claimedSinceMs: now - 60_000,
  limitMiB: 512,
  wantedMiB: 512,
  resizeProblem: null,
  ...overrides,
});

test.each<[reason: string, pods: readonly SizedPod[], want: string | undefined]>([
  ['nothing claimed, nothing known', [], undefined],
  ['a fresh claim says nothing yet', [sized({ claimedSinceMs: now - 9_999, limitMiB: 1024 })], undefined],
  ['the right size', [sized()], 'Supported'],
  ['nobody changed the size', [sized({ limitMiB: 1024 })], 'Refused'],
  ['the node will never do it', [sized({ resizeProblem: 'Infeasible' })], 'Infeasible'],
  ['the node will do it later', [sized({ resizeProblem: 'Deferred' })], 'Deferred'],
  ['the worst is told', [sized(), sized({ resizeProblem: 'Deferred' }), sized({ limitMiB: 1 })], 'Refused'],
])('judgeResize: %s', (_reason, pods, want) => {
  expect(judgeResize(pods, now)?.reason).toBe(want);
});

test('the first pod that can be judged is waited for', () => {
  expect(resizeWaitMs([sized(), sized({ claimedSinceMs: now - 4_000 }), sized({ claimedSinceMs: now })], now)).toBe(
    6_000,
  );
  expect(resizeWaitMs([sized()], now)).toBe(null);
});
