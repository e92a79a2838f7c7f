/** One write and what becomes of it. */
export interface ManifestCase {
  /** Why, as a test's name. */
  readonly reason: string;
  /** Plural of the kind. */
  readonly plural: 'functions' | 'functionversions' | 'aliases' | 'eventsourcemappings' | 'layers' | 'pools';
  readonly object: ManifestObject;
  /** What is stored before; then the write is an update. */
  readonly before?: ManifestObject;
  /** Null: it is taken. Else the field that the refusal names, and a part of what it says. */
  readonly refused: { readonly path: string; readonly text: string } | null;
}

/** A manifest, not yet checked. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A spec, not yet checked. */
export type Spec = Readonly<Record<string, unknown>>;

/** Digest of a zip. */
export const sha256 = 'ab'.repeat(32);
const specs = {
  functions: { runtime: 'nodejs24.x', handler: 'index.handler', code: { zip: { sha256 } } },
  functionversions: {
    functionName: 'hello',
    lambdaName: 'hello',
    version: '$LATEST',
    revision: '0123456789',
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    code: { sha256, sizeBytes: 300 },
    memoryMiB: 128,
    timeoutSeconds: 3,
  },
  aliases: { functionName: 'hello', name: 'live', functionVersion: '1' },
  eventsourcemappings: { functionName: 'hello', eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:q' },
  layers: { layerName: 'Shared', version: 1, code: { zip: { sha256 } } },
  pools: { runtime: 'nodejs24.x' },
} as const;
const kinds = {
  functions: 'Function',
  functionversions: 'FunctionVersion',
  aliases: 'Alias',
  eventsourcemappings: 'EventSourceMapping',
  layers: 'Layer',
  pools: 'Pool',
} as const;

/** A manifest of that kind that is taken, with some of its spec replaced. */
export function manifestOf(plural: ManifestCase['plural'], spec: Spec = {}, name = 'hello'): ManifestObject {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: kinds[plural],
    metadata: { name, namespace: 'default' },
    spec: { ...specs[plural], ...spec },
  };
}

/** One that is taken. */
export const taken = (reason: string, plural: ManifestCase['plural'], spec: Spec, name?: string): ManifestCase => ({
  reason,
  plural,
  object: manifestOf(plural, spec, name),
  refused: null,
});

/** A Function that is refused. */
export const refused = (reason: string, spec: Spec, path: string, text: string, name?: string): ManifestCase => ({
  reason,
  plural: 'functions',
  object: manifestOf('functions', spec, name),
  refused: { path, text },
});

/** A change of what is there. @param answer null = it is taken */
export const update = (
  reason: string,
  plural: ManifestCase['plural'],
  before: Spec,
  after: Spec,
  answer: ManifestCase['refused'],
): ManifestCase => ({
  reason,
  plural,
  before: manifestOf(plural, before),
  object: manifestOf(plural, after),
  refused: answer,
});
