import { expect, test } from '@jest/globals';
import type { Pod } from '@kappa/crds/client/kinds';

import { isShortOfRoom, sizeOfPod } from './pod-room.ts';

/** A pod that the scheduler has looked at in vain. */
const pod = (message: string, overrides: { reason?: string; phase?: string; deletedMs?: number } = {}): Pod =>
  ({
    metadata: { name: 'p', deletionTimestampMs: overrides.deletedMs ?? null },
    spec: { containers: [] },
    status: {
      phase: overrides.phase ?? 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: overrides.reason ?? 'Unschedulable', message }],
    },
  }) as unknown as Pod;

const preemption = 'preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.';

test.each<[reason: string, pod: Pod, want: boolean]>([
  ['no CPU', pod(`0/3 nodes are available: 3 Insufficient cpu. ${preemption}`), true],
  ['no memory', pod(`0/3 nodes are available: 3 Insufficient memory. ${preemption}`), true],
  ['a full node', pod(`0/3 nodes are available: 3 Too many pods. ${preemption}`), true],
  [
    'no CPU on one, others closed',
    pod('0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.'),
    true,
  ],
  [
    'all closed',
    pod('0/3 nodes are available: 3 node(s) had untolerated taint {a: b}. preemption: 0/3 nodes are available.'),
    false,
  ],
  ['a selector', pod("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."), false],
  ['a device', pod('0/3 nodes are available: 3 Insufficient example.com/gpu.'), false],
  ['not looked at yet', pod('', { reason: 'SchedulingGated' }), false],
  ['on its way out', pod('0/3 nodes are available: 3 Insufficient cpu.', { deletedMs: 1 }), false],
  ['it runs', pod('0/3 nodes are available: 3 Insufficient cpu.', { phase: 'Running' }), false],
  ['without a status', { ...pod(''), status: undefined } as unknown as Pod, false],
])('isShortOfRoom: %s', (_reason, each, want) => {
  expect(isShortOfRoom(each)).toBe(want);
});

test('sizeOfPod adds up what is asked for', () => {
  const containers = [
    { resources: { requests: { cpu: '0.5', memory: '1Gi' } } },
    { resources: { requests: { cpu: '45m' } } },
    {},
  ];
  expect(sizeOfPod({ spec: { containers } } as unknown as Pod)).toEqual({ cpuMilli: 545, memoryBytes: 2 ** 30 });
});
