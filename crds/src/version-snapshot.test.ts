import { describe, expect, test } from '@jest/globals';
import type { FunctionObject } from './function.ts';
import { parseFunction } from './function.ts';
import { parseFunctionVersion } from './function-version.ts';
import { childMetadata, makeVersionSpec } from './version-snapshot.ts';

const code = { sha256: 'ab'.repeat(32), sizeBytes: 321 };

function fnOf(spec: object = {}, metadata: object = {}): FunctionObject {
  return parseFunction({
    metadata: { name: 'hello', namespace: 'default', uid: '4f3c2f1e-0000-4000-8000-000000000001', ...metadata },
    spec: { runtime: 'nodejs24.x', handler: 'index.handler', code: { zip: { sha256: code.sha256 } }, ...spec },
  });
}

const revisionOf = (spec: object, metadata: object = {}) => makeVersionSpec(fnOf(spec, metadata), code).revision;

test('a snapshot is what its kind takes, and goes with its function', () => {
  const spec = makeVersionSpec(fnOf({ role: 'arn:r', compatibility: { TracingConfig: '{}' } }), code);
  const metadata = childMetadata(fnOf(), 'hello-v1');
  expect(parseFunctionVersion({ metadata, spec }).spec).toEqual({
    ...spec,
    version: '$LATEST',
    role: 'arn:r',
    compatibility: { TracingConfig: '{}' },
  });
  expect(metadata).toMatchObject({ labels: { 'kappa.dev/function': 'hello' }, ownerReferences: [{ name: 'hello' }] });
});

describe('the revision', () => {
  test('of a function without the newer fields is the one from before they existed', () => {
    // recorded before role, architectures and the like were added: a new release must not start every pod anew
    expect(revisionOf({})).toBe('cbda87c630');
  });

  test.each<[reason: string, spec: object]>([
    ['memory', { memoryMiB: 256 }],
    ['the role', { role: 'arn:r' }],
    ['what it does between calls', { idle: 'Running' }],
    ['the ServiceAccount', { serviceAccountName: 'deployer' }],
    ['what is only kept', { compatibility: { TracingConfig: '{}' } }],
  ])('changes with %s', (_reason, spec) => {
    expect(revisionOf(spec)).not.toBe(revisionOf({}));
  });

  test.each<[reason: string, spec: object]>([
    ['tags', { tags: { a: 'b' } }],
    ['concurrency', { concurrency: { reserved: 5 } }],
    ['the URL', { http: { auth: 'None' } }],
    ['how runtimes are managed', { compatibility: { RuntimeManagement: '{}' } }],
    ['how events are handled', { eventInvoke: [{ qualifier: '$LATEST' }] }],
    ['what is done about loops', { recursiveLoop: 'Allow' }],
    ['what versions provision', { concurrency: { provisionedByQualifier: [{ qualifier: '1', executions: 1 }] } }],
  ])('does not change with %s', (_reason, spec) => {
    expect(revisionOf(spec)).toBe(revisionOf({}));
  });

  test('is another one for a function made again', () => {
    expect(revisionOf({}, { uid: 'another' })).not.toBe(revisionOf({}));
  });
});
