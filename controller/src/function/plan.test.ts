import { expect, test } from '@jest/globals';
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
