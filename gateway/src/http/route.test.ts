import { expect, test } from '@jest/globals';

import { parseRoute, type Route } from './route.ts';

const url = (over: Partial<Extract<Route, { kind: 'functionUrl' }>>): Route => ({
  kind: 'functionUrl',
  namespace: 'default',
  name: 'hello',
  path: '/',
  query: '',
  ...over,
});

test.each<[reason: string, target: string, host: string, want: Route]>([
  ['Invoke by name', '/2015-03-31/functions/hello/invocations', '', { kind: 'invoke', label: 'hello', query: '' }],
  [
    'an ARN stays encoded, the query is kept',
    '/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=1',
    '127.0.0.1:9000',
    { kind: 'invoke', label: 'arn%3Aaws%3Alambda', query: 'Qualifier=1' },
  ],
  ['a slash at the end', '/2015-03-31/functions/a/invocations/', '', { kind: 'invoke', label: 'a', query: '' }],
  ['no name is not an Invoke', '/2015-03-31/functions//invocations', '', { kind: 'control' }],
  ['a deeper path is not an Invoke', '/2015-03-31/functions/a/b/invocations', '', { kind: 'control' }],
  ['another operation', '/2015-03-31/functions/a', '', { kind: 'control' }],
  ['a function URL by path', '/fn/default/hello/a/b?x=1', '', url({ path: '/a/b', query: 'x=1' })],
  ['a function URL without a path', '/fn/default/hello', '', url({})],
  ['a function URL with only a query', '/fn/default/hello?', '', url({})],
  ['double slashes are the function’s', '/fn/default/hello//x', '', url({ path: '//x' })],
  ['dots are not resolved', '/fn/default/hello/../../metrics', '', url({ path: '/../../metrics' })],
  ['encoded names are nobody’s', '/fn/default/he%6clo/', '', url({ name: 'he%6clo' })],
  ['no name', '/fn/default/', '', { kind: 'control' }],
  ['no namespace', '/fn//hello/', '', { kind: 'control' }],
  ['a function URL by host', '/x?y', 'hello.default.fn.localhost:9000', url({ path: '/x', query: 'y' })],
  ['the host’s case does not matter', '/', 'Hello.Default.FN.localhost', url({})],
  ['the host decides before the path', '/metrics', 'hello.default.fn.localhost', url({ path: '/metrics' })],
  ['a name with dots', '/', 'a.b.default.fn.localhost', url({ name: 'a.b' })],
  ['only a namespace', '/', 'default.fn.localhost', { kind: 'control' }],
  ['a look-alike domain', '/', 'hello.default.xfn.localhost', { kind: 'control' }],
  ['the rest is for the control API', '/healthz', '127.0.0.1', { kind: 'control' }],
])('parseRoute: %s', (_reason, target, host, want) => {
  expect(parseRoute(target, host, 'fn.localhost')).toEqual(want);
});

test.each(['http://127.0.0.1/healthz', '*', ''])('parseRoute: target %p is refused', (target) => {
  expect(parseRoute(target, '', 'fn.localhost').kind).toBe('bad');
});
