import { expect, test } from '@jest/globals';

import { parseCodeSources, sourceOf } from './code-sources.ts';

const parse = (sources: unknown, env: Readonly<Record<string, string>> = {}) =>
  parseCodeSources({ KAPPA_CODE_SOURCES: JSON.stringify(sources), ...env });

test.each<[bucket: string, namespace: string, endpoint: string | undefined]>([
  ['deploy-a', 'team-a', 'http://one'],
  ['deploy-', 'team-a', 'http://one'],
  ['deploy-a', 'team-b', undefined],
  ['xdeploy-a', 'team-a', undefined],
  ['releases', 'team-a', 'http://two'],
  ['releases', 'anybody', 'http://two'],
  ['releases2', 'anybody', undefined],
  ['a-ci-7-zips', 'team-b', 'http://three'],
  ['ci-zips', 'team-b', undefined],
  ['a-ci-zips-', 'team-b', undefined],
])('%s for %s', (bucket, namespace, endpoint) => {
  const sources = parse([
    { buckets: ['deploy-*'], namespaces: ['team-a', 'default'], endpoint: 'http://one' },
    { buckets: ['releases'], namespaces: ['*'], endpoint: 'http://two' },
    { buckets: ['*-ci-*-zips'], namespaces: ['team-*'], endpoint: 'http://three' },
  ]);
  expect(sourceOf(sources, namespace, bucket)?.endpoint).toBe(endpoint);
});

test('the parts of a pattern do not overlap', () => {
  const sources = parse([{ buckets: ['ab*bc'], namespaces: ['*'] }]);
  expect(sourceOf(sources, 'n', 'abc')).toBeUndefined();
  expect(sourceOf(sources, 'n', 'abbc')).toMatchObject({ endpoint: '', region: 'us-east-1', forcePathStyle: true });
});

test('keys come by the place in the list', () => {
  const source = { buckets: ['b'], namespaces: ['n'] };
  const env = { KAPPA_CODE_SOURCE_1_ACCESS_KEY_ID: 'id', KAPPA_CODE_SOURCE_1_SECRET_ACCESS_KEY: 'secret' };
  const [own, other] = parse([source, source], env);
  expect([own?.credentials, other?.credentials]).toEqual([null, { accessKeyId: 'id', secretAccessKey: 'secret' }]);
});

test('without the setting nobody has any', () => {
  expect(parseCodeSources({})).toEqual([]);
});

test.each<[reason: string, sources: unknown, message: RegExp]>([
  ['no list', {}, /is not a list/],
  ['too many', Array(101).fill({ buckets: ['b'], namespaces: ['n'] }), /list of at most 100/],
  ['no object', ['b'], /\[0\] is not an object/],
  ['nobody is named', [{ buckets: ['b'] }], /\[0\]\.namespaces is not a list/],
  ['no bucket', [{ buckets: [], namespaces: ['*'] }], /\[0\]\.buckets is not a list/],
  ['no name', [{ buckets: ['b/c'], namespaces: ['*'] }], /is no name: "b\/c"/],
  ['no URL', [{ buckets: ['b'], namespaces: ['*'], endpoint: 'store' }], /endpoint is not a URL/],
  ['a word that nobody knows', [{ buckets: ['b'], namespace: ['*'] }], /unknown member namespace/],
])('refused: %s', (_reason, sources, message) => {
  expect(() => parse(sources)).toThrow(message);
});

test('refused: half a key, and what is no JSON', () => {
  const sources = [{ buckets: ['b'], namespaces: ['n'] }];
  expect(() => parse(sources, { KAPPA_CODE_SOURCE_0_ACCESS_KEY_ID: 'id' })).toThrow(/one half of a key/);
  expect(() => parseCodeSources({ KAPPA_CODE_SOURCES: '[' })).toThrow(/is not JSON/);
});
