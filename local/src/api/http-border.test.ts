import { describe, expect, test } from '@jest/globals';
import { parseCaller } from './caller.ts';
import { parseConfig } from './config.ts';
import { compareVersions } from './discovery.ts';
import { decodeBody, negotiate, negotiateDiscovery } from './negotiation.ts';
import { parsePath } from './request-info.ts';
import { codeOf } from './testing.ts';

test.each<[path: string, want: Record<string, string> | null]>([
  ['/api/v1/pods', { group: '', version: 'v1', namespace: '', plural: 'pods', name: '', subresource: '' }],
  ['/api/v1/namespaces/n/pods/p', { namespace: 'n', plural: 'pods', name: 'p', subresource: '' }],
  ['/api/v1/namespaces/n/pods/p/log', { namespace: 'n', plural: 'pods', name: 'p', subresource: 'log' }],
  ['/api/v1/namespaces', { namespace: '', plural: 'namespaces', name: '' }],
  ['/api/v1/namespaces/n', { namespace: '', plural: 'namespaces', name: 'n' }],
  ['/api/v1/namespaces/n/finalize', { namespace: '', plural: 'namespaces', name: 'n', subresource: 'finalize' }],
  ['/api/v1/namespaces/n/status', { namespace: '', plural: 'namespaces', name: 'n', subresource: 'status' }],
  [
    '/apis/kappa.dev/v1alpha1/namespaces/n/functions/f/scale',
    { group: 'kappa.dev', namespace: 'n', plural: 'functions', name: 'f', subresource: 'scale' },
  ],
  ['/apis/kappa.dev/v1alpha1', null],
  ['/api/v1/namespaces/n/pods/%zz', null],
  ['/metrics', null],
])('path %s', (path, want) => {
  if (want === null) expect(parsePath(path)).toBeNull();
  else expect(parsePath(path)).toMatchObject(want);
});

describe('negotiation', () => {
  const table =
    'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';
  test.each<[accept: string | undefined, want: Record<string, string>]>([
    [undefined, { format: 'json', as: '' }],
    ['*/*', { format: 'json', as: '' }],
    [table, { format: 'json', as: 'Table' }],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', { as: '' }],
    ['application/vnd.kubernetes.protobuf,application/json', { format: 'json', as: '' }],
    ['application/yaml', { format: 'yaml' }],
    ['application/yaml;q=0.1,application/json', { format: 'json' }],
    ['application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1', { as: 'PartialObjectMetadata' }],
  ])('accept %s', (accept, want) => {
    expect(negotiate(accept)).toMatchObject(want);
  });

  test('what cannot be written is not acceptable', () => {
    expect(codeOf(() => negotiate('application/vnd.kubernetes.protobuf'))).toBe(406);
    expect(codeOf(() => negotiate('text/html'))).toBe(406);
  });

  test('aggregated discovery is answered when it is asked for first', () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    expect(negotiateDiscovery(accept).as).toBe('APIGroupDiscoveryList');
    expect(negotiateDiscovery('application/json').as).toBe('');
  });

  test.each<[reason: string, body: string, type: string, code: number]>([
    ['an unknown content type', '{}', 'text/plain', 415],
    ['broken JSON', '{', 'application/json', 400],
    ['broken YAML', 'a: [', 'application/yaml', 400],
    ['protobuf that is none', 'hello', 'application/vnd.kubernetes.protobuf', 400],
  ])('%s is refused', (_reason, body, type, code) => {
    expect(codeOf(() => decodeBody(Buffer.from(body), type))).toBe(code);
  });

  test('YAML and JSON mean the same', () => {
    expect(decodeBody(Buffer.from('a: {b: [1, "x"]}'), 'application/yaml; charset=utf-8')).toEqual({
      a: { b: [1, 'x'] },
    });
  });
});

describe('write parameters', () => {
  const parse = (query: string, agent?: string) =>
    parseCaller(new URLSearchParams(query), { username: 'u', uid: '', groups: [] }, agent);

  test('the manager is the parameter or the start of the user agent', () => {
    expect(parse('fieldManager=me', 'kubectl/v1').manager).toBe('me');
    expect(parse('', 'kubectl/v1.35 (linux)').manager).toBe('kubectl');
    expect(parse('').manager).toBe('unknown');
  });

  test.each(['dryRun=Some', 'fieldValidation=Maybe', `fieldManager=${'x'.repeat(129)}`])('%s is refused', (query) => {
    expect(codeOf(() => parse(query))).toBeGreaterThanOrEqual(400);
  });
});

test('versions are sorted as Kubernetes prefers them', () => {
  const sorted = ['v1alpha1', 'v2', 'v1', 'v1beta2', 'v1beta1', 'foo'].sort(compareVersions);
  expect(sorted).toEqual(['v2', 'v1', 'v1beta2', 'v1beta1', 'v1alpha1', 'foo']);
});

test('a port that is none is refused by name', () => {
  expect(() => parseConfig({ KAPPA_API_PORT: 'x' })).toThrow(/KAPPA_API_PORT/);
  expect(parseConfig({ KAPPA_API_PORT: '0', KAPPA_STATE_DIR: '/x' })).toEqual({ port: 0, stateDir: '/x' });
});
