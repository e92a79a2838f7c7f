import { expect, test } from '@jest/globals';
import type { PoolSummary } from '../observed.ts';
import { judgeStart, passingMs, startWaitMs, trialMs } from './judge-start.ts';
import { pod } from './testing.ts';

const nowMs = Date.parse('2026-11-22T12:00:00Z');
const summaryOf = (status?: 'Unknown' | 'False', sinceMs = nowMs): PoolSummary => ({
  name: 'image-1',
  uid: 'u',
  generation: 1,
  spec: {
    image: { namespace: 'default', reference: 'r', memoryMiB: 10_240 },
    replicas: 1,
    minReplicas: 0,
    maxPods: 200,
    idleSeconds: 60,
  },
  status:
    status === undefined
      ? undefined
      : {
          conditions: [
            {
              type: 'Started',
              status,
              reason: 'StartTimeout',
              message: 'as before',
              lastTransitionTime: new Date(sinceMs).toISOString(),
            },
          ],
        },
});
const observedOf = (changes: object = {}) => ({
  live: [],
  failures: { count: 0, lastAtMs: 0 },
  refusal: null,
  ...changes,
});
const pending = { isReady: false, phase: 'Pending' } as const;
const away = { reason: 'InvalidImage', message: 'ErrImagePull: i/o timeout', isFinal: false } as const;
const awaySince = (sinceMs: number) => pod(1, { ...pending, imageProblem: away, imageProblemSinceMs: sinceMs });
const unscheduled = pod(1, { ...pending, startProblem: 'no node takes its pod' });

test.each<
  [why: string, summary: PoolSummary, changes: object, want: Partial<NonNullable<ReturnType<typeof judgeStart>>>]
>([
  [
    'no node has room yet: that is told',
    summaryOf('Unknown', nowMs - trialMs + 1),
    { live: [unscheduled] },
    { status: 'Unknown', message: 'no node takes its pod' },
  ],
  [
    'nor in time',
    summaryOf('Unknown', nowMs - trialMs),
    { live: [unscheduled] },
    { status: 'False', reason: 'StartTimeout', message: 'no pod was ready in time: no node takes its pod' },
  ],
  [
    'no pod is taken',
    summaryOf(),
    { refusal: 'exceeded quota' },
    { status: 'Unknown', message: 'its pod is refused: exceeded quota' },
  ],
  [
    'nor in time',
    summaryOf('Unknown', nowMs - trialMs),
    { refusal: 'exceeded quota' },
    { status: 'False', message: 'no pod was ready in time: its pod is refused: exceeded quota' },
  ],
  ['what has failed is not under way again', summaryOf('False'), {}, { status: 'False', message: 'as before' }],
  ['until a pod is ready', summaryOf('False'), { live: [pod(1)] }, { status: 'True' }],
  [
    'a registry is away for a moment',
    summaryOf('Unknown'),
    { live: [awaySince(nowMs - passingMs + 1)] },
    { status: 'Unknown', message: away.message },
  ],
  [
    'and for longer',
    summaryOf('Unknown'),
    { live: [awaySince(nowMs - passingMs)] },
    { status: 'False', reason: 'InvalidImage', message: away.message },
  ],
])('judgeStart: %s', (_why, summary, changes, want) => {
  expect(judgeStart(summary, observedOf(changes), nowMs)).toMatchObject(want);
});

test.each<[why: string, summary: PoolSummary, pods: Parameters<typeof startWaitMs>[1], want: number | null]>([
  ['the end of the trial', summaryOf('Unknown', nowMs - 1_000), [unscheduled], trialMs - 1_000],
  [
    'before it, the end of patience with a registry',
    summaryOf('Unknown'),
    [awaySince(nowMs - 5_000)],
    passingMs - 5_000,
  ],
  ['nothing, once it has failed', summaryOf('False'), [unscheduled], null],
])('what a trial waits for: %s', (_why, { status }, pods, want) => {
  expect(startWaitMs(status, pods, nowMs)).toBe(want);
});
