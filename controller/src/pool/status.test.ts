import { expect, test } from '@jest/globals';
import { findCondition } from '@kappa/crds/conditions';
import { trialOf } from '../image/trial.ts';
import type { PoolSummary } from '../observed.ts';
import type { PodObserved } from './plan.ts';
import { makePoolStatus } from './status.ts';
import { pod, pool } from './testing.ts';

const image = { namespace: 'default', reference: 'registry.example/cart@sha256:ab', memoryMiB: 128 };
const summaryOf = (spec: object, status?: PoolSummary['status']): PoolSummary => ({
  name: 'p',
  uid: 'u',
  generation: 1,
  spec: { replicas: 1, minReplicas: 0, maxPods: 10, idleSeconds: 60, ...spec },
  status,
});
const statusOf = (summary: PoolSummary, pods: readonly PodObserved[]) =>
  makePoolStatus(
    summary,
    pool({ pods, replicas: 1, minReplicas: 0 }),
    { wanted: 1, resize: null, refusal: null },
    1_000,
  );
const told = { reason: 'ImageAccessDenied', message: 'ErrImagePull: denied' } as const;
const imageProblem = { ...told, isFinal: true };
const stuck = pod(1, { isReady: false, phase: 'Pending', imageProblem });

test.each<[reason: string, pods: readonly PodObserved[], want: ReturnType<typeof trialOf>['kind']]>([
  ['no pod yet', [], 'starting'],
  ['one that is starting', [pod(1, { isReady: false })], 'starting'],
  ['one that is ready', [pod(1)], 'started'],
  ['one that runs a function already', [pod(1, { state: 'claimed', isReady: false })], 'started'],
  ['one that cannot be pulled', [stuck], 'failed'],
  ['one that could not, and goes', [{ ...stuck, isTerminating: true }], 'starting'],
  ['one that cannot, beside one that could', [stuck, pod(2)], 'started'],
])('the trial of an image: %s', (_reason, pods, want) => {
  const summary = summaryOf({ image });
  expect(trialOf({ ...summary, status: statusOf(summary, pods) }).kind).toBe(want);
});

test.each<[failures: number, want: string]>([
  [1, 'starting'],
  [2, 'failed'],
])('an image whose pods have ended %s times before they were ready', (count, want) => {
  const summary = summaryOf({ image });
  const observed = pool({ pods: [], replicas: 1, minReplicas: 0, failures: { count, lastAtMs: 0 } });
  const status = makePoolStatus(summary, observed, { wanted: 1, resize: null, refusal: null }, 1_000);
  expect(trialOf({ ...summary, status }).kind).toBe(want);
});

test('what has started once stays so, whatever becomes of its registry', () => {
  const started = statusOf(summaryOf({ image }), [pod(1)]);
  const later = statusOf(summaryOf({ image }, started), [stuck]);
  expect(findCondition(later.conditions, 'Started')).toMatchObject({ status: 'True' });
  expect(findCondition(later.conditions, 'Ready')).toMatchObject({ status: 'False', ...told });
});

test("a runtime has no trial: its image is the install's", () => {
  const { conditions } = statusOf(summaryOf({ runtime: 'nodejs24.x' }), [pod(1)]);
  expect(conditions?.map(({ type }) => type)).toEqual(['InPlaceResize', 'Ready', 'UpToDate']);
});
