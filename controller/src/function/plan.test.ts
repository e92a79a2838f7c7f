import { expect, test } from '@jest/globals';
import type { ImageTrial } from '../image/trial.ts';
import { type FunctionObserved, type FunctionPlan, planFunction } from './plan.ts';
import { makeFunctionStatus } from './status.ts';
import { makeFunction, missing, observed, resolved } from './testing.ts';

const now = 10_000_000;
const current = planFunction(observed(), now).latestName ?? '';
const old = (supersededAtMs: number | null, pods = 0) => ({ name: 'hello-0000000000', supersededAtMs, pods });
const layer = { arn: 'arn:aws:lambda:us-east-1:000000000000:layer:a:1', sha256: 'cd'.repeat(32), sizeBytes: 7 };
const noLayer = { kind: 'failed', reason: 'LayerMissing', message: 'no layer' } as const;
const withLatest = makeFunction({}, { latestVersion: 'hello-0000000000', codeSha256: 'x', codeSizeBytes: 1 });

test.each<[reason: string, overrides: Partial<FunctionObserved>, want: Partial<FunctionPlan>]>([
  [
    'code that is there becomes the latest version',
    {},
    { latestName: current, deleteVersions: [], requeueAfterMs: null },
  ],
  ['missing code is tried again', { code: missing }, { next: null, latestName: null, requeueAfterMs: 5_000 }],
  ['a refused URL is not', { code: { ...missing, reason: 'UrlRefused' } }, { next: null, requeueAfterMs: null }],
  [
    'a failed change keeps the last good version',
    { fn: withLatest, code: missing },
    { next: null, latestName: 'hello-0000000000' },
  ],
  ['a missing layer is waited for', { layers: noLayer }, { next: null, latestName: null, requeueAfterMs: 5_000 }],
  ['an unknown runtime makes no version', { runtimes: new Set<string>() }, { next: null, latestName: null }],
  ['a superseded version lingers', { versions: [old(now - 62_000)] }, { deleteVersions: [], requeueAfterMs: 63_000 }],
  [
    'and goes when its last call must be over',
    { versions: [old(now - 63_000)] },
    { deleteVersions: ['hello-0000000000'] },
  ],
  ['but not while a pod runs it', { versions: [old(now - 63_000, 1)] }, { deleteVersions: [] }],
  ['nor before it was seen superseded', { versions: [old(null)] }, { deleteVersions: [] }],
  [
    'the last good version is never deleted',
    { fn: withLatest, code: missing, versions: [old(0)] },
    { deleteVersions: [] },
  ],
])('planFunction: %s', (_reason, overrides, want) => {
  expect(planFunction(observed(overrides), now)).toMatchObject(want);
});

test('layers become part of a version, so that others make another version', () => {
  const [first, second] = [layer, { ...layer, sha256: 'ef'.repeat(32) }].map((each) =>
    planFunction(observed({ layers: { kind: 'resolved', layers: [each] } }), now),
  );
  expect(first?.next?.layers).toEqual([layer]);
  expect(new Set([first?.latestName, second?.latestName, current]).size).toBe(3);
});

test.each<[reason: string, spec: Parameters<typeof makeFunction>[0], isSame: boolean]>([
  ['a description is part of it', { description: 'x' }, false],
  ['memory is part of it', { memoryMiB: 256 }, false],
  [
    'reserved concurrency is not: it changes no pod',
    { concurrency: { provisioned: 0, perInstance: 1, reserved: 5 } },
    true,
  ],
  ['the URL is not', { http: { auth: 'None', invokeMode: 'Buffered' } }, true],
])('revision: %s', (_reason, spec, isSame) => {
  expect(planFunction(observed({ fn: makeFunction(spec) }), now).latestName === current).toBe(isSame);
});

const statusOf = (overrides: Partial<FunctionObserved>) => {
  const context = { ...observed(overrides), url: 'http://x/', pods: 2, provisionedReady: 1 };
  return makeFunctionStatus(context, planFunction(context, now), now);
};

test.each<[reason: string, overrides: Partial<FunctionObserved>, want: object]>([
  [
    'active with its digest as Lambda writes it',
    {},
    {
      state: 'Active',
      lastUpdateStatus: 'Successful',
      codeSha256: Buffer.from('ab'.repeat(32), 'hex').toString('base64'),
      pods: 2,
      url: 'http://x/',
    },
  ],
  [
    'failed at first',
    { code: missing },
    { state: 'Failed', stateReasonCode: 'BlobMissing', lastUpdateStatus: 'Failed' },
  ],
  [
    'active but failed to update',
    { fn: withLatest, code: missing },
    {
      state: 'Active',
      lastUpdateStatus: 'Failed',
      lastUpdateStatusReasonCode: 'BlobMissing',
      latestVersion: 'hello-0000000000',
    },
  ],
  ['an unknown runtime is named', { runtimes: new Set(['python3.11']) }, { stateReasonCode: 'InvalidRuntime' }],
])('makeFunctionStatus: %s', (_reason, overrides, want) => {
  expect(statusOf(overrides)).toMatchObject(want);
});

test('Ready says why not, for this generation', () => {
  expect(statusOf({ code: missing }).conditions).toMatchObject([
    { type: 'CodeResolved', status: 'False', reason: 'BlobMissing', observedGeneration: 1 },
    { type: 'Ready', status: 'False', reason: 'BlobMissing', message: 'no blob', observedGeneration: 1 },
  ]);
});

test('a function with layers says whether they are there, and one without says nothing', () => {
  const fn = makeFunction({ layers: [layer.arn] });
  const resolvedLayers = { kind: 'resolved', layers: [layer] } as const;
  const ready = statusOf({ fn, layers: resolvedLayers });
  expect(ready.conditions).toMatchObject([
    { type: 'CodeResolved', status: 'True' },
    { type: 'LayersResolved', status: 'True', message: layer.arn },
    { type: 'Ready', status: 'True' },
  ]);
  const failed = statusOf({ fn: makeFunction({ layers: [layer.arn] }, ready), layers: noLayer });
  expect(failed).toMatchObject({
    state: 'Active',
    lastUpdateStatus: 'Failed',
    lastUpdateStatusReasonCode: 'LayerMissing',
  });
  expect(failed.conditions?.map(({ type, status }) => [type, status])).toEqual([
    ['CodeResolved', 'True'],
    ['LayersResolved', 'False'],
    ['Ready', 'False'],
  ]);
  const without = statusOf({ fn: makeFunction({}, failed) });
  expect(without.conditions?.map(({ type }) => type)).toEqual(['CodeResolved', 'Ready']);
});

test('a function whose name belongs to another one says so, and only then', () => {
  const taken = statusOf({ nameHolder: 'a' });
  expect(taken).toMatchObject({ state: 'Active', lastUpdateStatus: 'Successful' });
  expect(taken.conditions).toMatchObject([
    { type: 'CodeResolved', status: 'True' },
    {
      type: 'NameTaken',
      status: 'True',
      message: 'calls of hello go to Function a, which has the same name; delete one of the two',
    },
    { type: 'Ready', status: 'False', reason: 'NameTaken' },
  ]);
  const free = statusOf({ fn: makeFunction({}, taken) });
  expect(free.conditions?.map(({ type, status }) => [type, status])).toEqual([
    ['CodeResolved', 'True'],
    ['Ready', 'True'],
  ]);
});

test('the same observation gives the same status: nothing is written twice', () => {
  const first = statusOf({});
  const context = {
    ...observed({ fn: makeFunction({}, first), code: resolved }),
    url: 'http://x/',
    pods: 2,
    provisionedReady: 1,
  };
  expect(makeFunctionStatus(context, planFunction(context, now + 5_000), now + 5_000)).toEqual(first);
});

test('the last modification is when what is served changed last', () => {
  const first = statusOf({});
  const at = (fn: Parameters<typeof makeFunction>[0], laterMs: number) => {
    const context = { ...observed({ fn: makeFunction(fn, first) }), url: 'http://x/', pods: 2, provisionedReady: 1 };
    return makeFunctionStatus(context, planFunction(context, now + laterMs), now + laterMs).lastModified;
  };
  expect(first.lastModified).toBe(new Date(now).toISOString());
  expect(at({ concurrency: { reserved: 5, provisioned: 0, perInstance: 1 } }, 5_000)).toBe(first.lastModified);
  expect(at({ memoryMiB: 256 }, 5_000)).toBe(new Date(now + 5_000).toISOString());
});

test('the selector is what pods of a function with a long name carry', () => {
  const fn = makeFunction();
  const long = { ...fn, metadata: { ...fn.metadata, name: 'a'.repeat(100) } };
  const selector = statusOf({ fn: long }).selector ?? '';
  expect(selector).toMatch(/^kappa\.dev\/function-namespace=default,kappa\.dev\/function=a{52}_[0-9a-f]{10}$/);
});

const image = {
  uri: 'registry.example/cart:7',
  reference: 'registry.example/cart@sha256:ab',
  entryPoint: ['/entry'],
  command: [],
};
const imageFn = (status?: Parameters<typeof makeFunction>[1]) => {
  const fn = makeFunction({ code: { image: { uri: image.uri } } }, status);
  const { runtime: _runtime, handler: _handler, ...spec } = fn.spec;
  return { ...fn, spec };
};
const ofImage = (trial: ImageTrial, status?: Parameters<typeof makeFunction>[1]): Partial<FunctionObserved> => ({
  fn: imageFn(status),
  code: { kind: 'resolved', sha256: 'ab'.repeat(32), sizeBytes: 0, image },
  runtimes: new Set(),
  trialOf: () => trial,
});
const imageVersion = planFunction(observed(ofImage({ kind: 'started' })), now).latestName ?? '';
const served = { latestVersion: 'hello-0000000000', codeSha256: 'x', codeSizeBytes: 0 };
const starting = { kind: 'starting', message: 'it starts' } as const;
const denied = { kind: 'failed', reason: 'ImageAccessDenied', message: 'ErrImagePull: denied' } as const;

test.each<[reason: string, overrides: Partial<FunctionObserved>, plan: Partial<FunctionPlan>, status: object]>([
  [
    'one that starts is served',
    ofImage({ kind: 'started' }),
    { latestName: imageVersion },
    { state: 'Active', lastUpdateStatus: 'Successful', latestVersion: imageVersion, codeSizeBytes: 0 },
  ],
  [
    'a new one is made and tried, and not served yet',
    ofImage(starting),
    { nextName: imageVersion, latestName: null },
    { state: 'Pending', stateReasonCode: 'Creating', stateReason: 'it starts', lastUpdateStatus: 'InProgress' },
  ],
  [
    'the version before goes on',
    { ...ofImage(starting, served), versions: [{ name: imageVersion, supersededAtMs: 0, pods: 0 }] },
    { nextName: imageVersion, latestName: 'hello-0000000000', deleteVersions: [] },
    { state: 'Active', lastUpdateStatus: 'InProgress', latestVersion: 'hello-0000000000' },
  ],
  [
    'one that cannot be pulled fails',
    ofImage(denied),
    { latestName: null },
    { state: 'Failed', stateReasonCode: 'ImageAccessDenied', lastUpdateStatus: 'Failed' },
  ],
  [
    'and nothing is lost by it',
    ofImage(denied, served),
    { latestName: 'hello-0000000000' },
    {
      state: 'Active',
      lastUpdateStatus: 'Failed',
      lastUpdateStatusReason:
        'Image registry.example/cart:7: ErrImagePull: denied; the last good version goes on answering',
    },
  ],
  [
    'what is served once is not tried again',
    ofImage(denied, { ...served, latestVersion: imageVersion }),
    { latestName: imageVersion },
    { state: 'Active', lastUpdateStatus: 'Successful' },
  ],
  [
    'one that its registry does not have is asked for less often',
    { fn: imageFn(), code: { ...missing, reason: 'InvalidImage' } },
    { next: null, requeueAfterMs: 60_000 },
    { state: 'Failed', stateReasonCode: 'InvalidImage' },
  ],
])('an image: %s', (_reason, overrides, plan, status) => {
  expect(planFunction(observed(overrides), now)).toMatchObject(plan);
  expect(statusOf(overrides)).toMatchObject(status);
});

test('a function that waits for its image is not Ready', () => {
  expect(statusOf(ofImage(starting)).conditions).toMatchObject([
    { type: 'CodeResolved', status: 'True', message: image.reference },
    { type: 'Ready', status: 'False', reason: 'Creating', message: 'it starts' },
  ]);
});

test.each<[failedForMs: number, generation: number, want: number]>([
  [0, 1, 5_000],
  [40_000, 1, 40_000],
  [40_000, 0, 5_000],
  [3_600_000, 1, 300_000],
])(
  'a registry that has been away for %s ms, as generation %s saw it, is asked again in %s ms',
  (failedForMs, observedGeneration, want) => {
    const lastTransitionTime = new Date(now - failedForMs).toISOString();
    const failed = { type: 'CodeResolved', status: 'False', reason: 'FetchFailed', message: '429' } as const;
    const fn = imageFn({ conditions: [{ ...failed, observedGeneration, lastTransitionTime }] });
    const away = { kind: 'failed', reason: 'FetchFailed', message: '429' } as const;
    expect(planFunction(observed({ fn, code: away }), now).requeueAfterMs).toBe(want);
  },
);
