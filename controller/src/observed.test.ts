import { expect, test } from '@jest/globals';
import { type Pod, pods } from '@kappa/crds/client/kinds';
import { mebibytesOf, type PodSummary, summarizePod } from './observed.ts';

const pod = (status: Pod['status'], metadata: object = {}, memory = '1Gi'): Pod =>
  pods.parse({
    metadata: { name: 'p-1', namespace: 'n', uid: 'u', labels: { 'kappa.dev/pool': 'nodejs24.x' }, ...metadata },
    spec: { containers: [{ name: 'runtime', resources: { limits: { memory } } }] },
    status,
  });
const conditions = (ready: 'True' | 'False' | 'Unknown', containers: 'True' | 'False') => ({
  conditions: [
    { type: 'Ready', status: ready },
    { type: 'ContainersReady', status: containers },
  ],
});
const pending = (reason: string, status: 'True' | 'False' = 'True') => ({
  conditions: [{ type: 'PodResizePending', status, reason }],
});

test.each<[reason: string, status: Pod['status'], want: Partial<PodSummary>]>([
  ['a new pod', {}, { phase: 'Pending', isReady: false, isCutOff: false, template: '', zone: '', limitMiB: 1024 }],
  ['a ready pod', conditions('True', 'True'), { isReady: true, isCutOff: false }],
  ['a failed probe', conditions('False', 'False'), { isReady: false, isCutOff: false }],
  ['a node that was given up', conditions('False', 'True'), { isReady: false, isCutOff: true }],
  ['a node that nobody knows of', conditions('Unknown', 'False'), { isReady: false, isCutOff: true }],
  ['no resize under way', {}, { resizeProblem: null }],
  ['a resize that is over', pending('Infeasible', 'False'), { resizeProblem: null }],
  ['a resize that can never be', pending('Infeasible'), { resizeProblem: 'Infeasible' }],
  ['a resize that has to wait', pending('Deferred'), { resizeProblem: 'Deferred' }],
])('summarizePod: %s', (_reason, status, want) => {
  expect(summarizePod(pod(status))).toMatchObject(want);
});

test('what labels say', () => {
  const labels = {
    'kappa.dev/pool': 'nodejs24.x',
    'kappa.dev/template': 'abc',
    'topology.kubernetes.io/zone': 'z1',
    'kappa.dev/ordinal': '7',
  };
  expect(summarizePod(pod({}, { labels }))).toMatchObject({ template: 'abc', zone: 'z1', ordinal: 7, claim: null });
});

test.each<[quantity: string, mebibytes: number]>([
  ['128Mi', 128],
  ['1Gi', 1024],
  ['1.5Gi', 1536],
  ['134217728', 128],
  ['131072Ki', 128],
  ['0', 0],
  ['nonsense', 0],
])('mebibytesOf: %s', (quantity, mebibytes) => {
  expect(mebibytesOf(quantity)).toBe(mebibytes);
});
