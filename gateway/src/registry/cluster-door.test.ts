import { expect, test } from '@jest/globals';
import type { Pod } from '@kappa/crds/client/kinds';

import { routed } from '../testing.ts';
import { claimPatch, resizePatch } from './cluster-door.ts';

const { latest: target } = routed();
if (target === null) throw new Error('hello has a version');

test('claimPatch: labels fit their limit, annotations say the whole names', () => {
  const long = `${'a'.repeat(140)}-bbbbbbbbbb`;
  expect(claimPatch({ ...target, versionName: long })).toEqual({
    metadata: {
      labels: {
        'kappa.dev/state': 'claimed',
        'kappa.dev/function': 'hello',
        'kappa.dev/function-namespace': 'default',
        'kappa.dev/version': expect.stringMatching(/^a+_[0-9a-f]{10}$/),
        'kappa.dev/account': '000000000000',
      },
      annotations: {
        'kappa.dev/version-uid': 'uid-a',
        'kappa.dev/version-name': long,
        'kappa.dev/function-name': 'hello',
      },
    },
  });
});

const pod = (resources: object) =>
  ({
    spec: { containers: [{ name: 'runtime', image: 'kappa/runtime-nodejs:24', resources }, { name: 'other' }] },
  }) as unknown as Pod;

test.each<[memoryMiB: number, limits: object, requests: object]>([
  [128, { memory: '128Mi', cpu: '73m' }, { memory: '128Mi', cpu: '36m' }],
  [1769, { memory: '1769Mi', cpu: '1000m' }, { memory: '1769Mi', cpu: '500m' }],
  [10_240, { memory: '10240Mi', cpu: '5789m' }, { memory: '10240Mi', cpu: '2894m' }],
])('resizePatch: %i MiB', (memoryMiB, limits, requests) => {
  expect(resizePatch(pod({ requests: { cpu: '10m' }, limits: { memory: '1Gi' } }), memoryMiB)).toEqual({
    spec: {
      containers: [
        { name: 'runtime', image: 'kappa/runtime-nodejs:24', resources: { limits, requests } },
        { name: 'other' },
      ],
    },
  });
});

test('resizePatch: a pod of that size is left alone', () => {
  expect(resizePatch(pod({ limits: { memory: '128Mi', cpu: '73m' } }), 128)).toBeNull();
});
