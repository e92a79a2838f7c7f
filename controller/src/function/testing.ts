import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionObserved } from './plan.ts';
import type { ResolvedCode } from './resolve-code.ts';

/** A Function `default/hello` at generation 1, with `spec` overrides. */
export function makeFunction(
  spec: Partial<FunctionObject['spec']> = {},
  status?: FunctionObject['status'],
): FunctionObject {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: {
      name: 'hello',
      namespace: 'default',
      uid: '4f3c2f1e-0000-4000-8000-000000000001',
      resourceVersion: '7',
      generation: 1,
      creationTimestampMs: 0,
      deletionTimestampMs: null,
      labels: {},
      annotations: {},
      ownerReferences: [],
      finalizers: [],
    },
    spec: {
      description: '',
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { inline: { files: [{ path: 'index.mjs', content: 'export const handler = () => 1;' }] } },
      memoryMiB: 128,
      timeoutSeconds: 3,
      environment: [],
      concurrency: { provisioned: 0, perInstance: 1 },
      logging: { format: 'Text' },
      idleTimeoutSeconds: 300,
      ...spec,
    },
    ...(status !== undefined && { status }),
  };
}

export const resolved: ResolvedCode = { kind: 'resolved', sha256: 'ab'.repeat(32), sizeBytes: 321 };
export const missing = {
  kind: 'failed',
  reason: 'BlobMissing',
  message: 'no blob',
} satisfies ResolvedCode;

/** An observation of that function with its code resolved and no version yet. */
export function observed(overrides: Partial<FunctionObserved> = {}): FunctionObserved {
  return {
    fn: makeFunction(),
    code: resolved,
    layers: { kind: 'resolved', layers: [] },
    versions: [],
    nameHolder: null,
    runtimes: new Set(['nodejs24.x']),
    trialOf: () => ({ kind: 'started' }),
    ...overrides,
  };
}
