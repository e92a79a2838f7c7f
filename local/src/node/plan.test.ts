import { expect, test } from '@jest/globals';
import { planNode, type RunningView } from './plan.ts';
import type { PodView } from './pod.ts';
import { podView } from './testing.ts';

const nowMs = 1_000_000;
const uid = podView().uid;
const mib128 = 128 * 1024 * 1024;
const deleted = { deletion: { deadlineMs: nowMs + 5000 } };
const overdue = { deletion: { deadlineMs: nowMs } };
const runs: RunningView = { uid, state: 'running', isStopping: false, memoryBytes: mib128 };

test.each<[reason: string, pod: PodView | null, running: Partial<RunningView> | null, want: string[]]>([
  ['a pod without a node is bound', podView({ nodeName: '' }), null, ['bind']],
  ['a pod of another node is left alone', podView({ nodeName: 'b' }), null, []],
  ['a deleted pod of another node is left alone', podView({ nodeName: 'b', ...deleted }), null, []],
  ['a bound pod is started', podView(), null, ['start']],
  ['a pod that runs is left alone', podView({ phase: 'Running' }), {}, []],
  ['a pod said to run, without a process, is lost', podView({ phase: 'Running' }), null, ['lose']],
  ['a pod that ended in an earlier life is left alone', podView({ phase: 'Failed' }), null, []],
  ['a succeeded pod is not started again', podView({ phase: 'Succeeded' }), null, []],
  ['a pod deleted before its start is removed', podView(deleted), null, ['remove']],
  ['a pod deleted before it had a node is removed', podView({ nodeName: '', ...deleted }), null, ['remove']],
  ['a deleted pod that runs is asked to stop', podView(deleted), {}, ['stop']],
  ['it is asked once', podView(deleted), { isStopping: true }, []],
  ['after its grace it is killed', podView(overdue), { isStopping: true }, ['kill']],
  ['without grace it is killed at once', podView(overdue), {}, ['kill']],
  ['a deleted pod that ended is removed', podView(deleted), { state: 'exited' }, ['remove']],
  ['a pod that ended waits for its deletion', podView({ phase: 'Failed' }), { state: 'exited' }, []],
  ['a process whose pod is gone is killed', null, {}, ['kill']],
  ['an ended pod that is gone is forgotten', null, { state: 'exited' }, ['forget']],
  ['another limit is applied', podView({}, { memoryBytes: 2 * mib128 }), {}, ['resize']],
  ['a pod that stops is not resized', podView(deleted, { memoryBytes: 2 * mib128 }), { isStopping: true }, []],
])('planNode: %s', (_reason, pod, running, want) => {
  const plan = planNode({
    nodeName: 'local-a',
    nowMs,
    pods: pod === null ? [] : [pod],
    running: new Map(running === null ? [] : [[uid, { ...runs, ...running }]]),
    retryAtMs: new Map(),
  });
  expect(plan.actions.map((action) => action.kind)).toEqual(want);
});

test('a pod made anew under the same name is started, the old process is killed', () => {
  const old = 'old';
  const plan = planNode({
    nodeName: 'local-a',
    nowMs,
    pods: [podView()],
    running: new Map([[old, { ...runs, uid: old }]]),
    retryAtMs: new Map(),
  });
  expect(plan.actions.map(({ kind, uid: of }) => `${kind} ${of}`)).toEqual([`start ${uid}`, 'kill old']);
});

test('what failed is not tried before its time, and the node wakes up then', () => {
  const observed = {
    nodeName: 'local-a',
    pods: [podView()],
    running: new Map(),
    retryAtMs: new Map([[uid, nowMs + 300]]),
  };
  expect(planNode({ ...observed, nowMs })).toEqual({ actions: [], wakeAtMs: nowMs + 300 });
  expect(planNode({ ...observed, nowMs: nowMs + 300 }).actions).toHaveLength(1);
});

test('the node wakes up when a grace period ends', () => {
  const running = new Map([[uid, { ...runs, isStopping: true }]]);
  const plan = planNode({ nodeName: 'local-a', nowMs, pods: [podView(deleted)], running, retryAtMs: new Map() });
  expect(plan).toEqual({ actions: [], wakeAtMs: nowMs + 5000 });
});
