import { expect, test } from '@jest/globals';

import { RouteHosts } from '../http-routes/route-hosts.ts';
import { parseRoute, type Route, type UrlReference } from './route.ts';

const named = (over: { namespace?: string; name?: string; alias?: string }): UrlReference => ({
  kind: 'named',
  namespace: 'default',
  name: 'hello',
  alias: null,
  ...over,
});

const url = (over: Partial<Extract<Route, { kind: 'functionUrl' }>>): Route => ({
  kind: 'functionUrl',
  of: named({}),
  path: '/',
  query: '',
  ...over,
});

const routeHosts = new RouteHosts(['*.api.localhost']);
const id = 'vadoet6euuwj2pqboblmqfyex5tuu3j4';

test.each<[reason: string, target: string, host: string, want: Route]>([
  ['Invoke by name', '/2015-03-31/functions/hello/invocations', '', { kind: 'invoke', label: 'hello', query: '' }],
  [
    'an ARN stays encoded, the query is kept',
    '/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=1',
    '127.0.0.1:9000',
    { kind: 'invoke', label: 'arn%3Aaws%3Alambda', query: 'Qualifier=1' },
  ],
  ['a slash at the end', '/2015-03-31/functions/a/invocations/', '', { kind: 'invoke', label: 'a', query: '' }],
  [
    'InvokeWithResponseStream',
    '/2021-11-15/functions/a%3Ab/response-streaming-invocations?Qualifier=1',
    '',
    { kind: 'invokeStream', label: 'a%3Ab', query: 'Qualifier=1' },
  ],
  ['its date belongs to no other operation', '/2021-11-15/functions/a/invocations', '', { kind: 'control' }],
  ['no name is not an Invoke', '/2015-03-31/functions//invocations', '', { kind: 'control' }],
  ['a deeper path is not an Invoke', '/2015-03-31/functions/a/b/invocations', '', { kind: 'control' }],
  ['another operation', '/2015-03-31/functions/a', '', { kind: 'control' }],
  ['a function URL by path', '/fn/default/hello/a/b?x=1', '', url({ path: '/a/b', query: 'x=1' })],
  ['a function URL without a path', '/fn/default/hello', '', url({})],
  ['a function URL with only a query', '/fn/default/hello?', '', url({})],
  ['double slashes are the function’s', '/fn/default/hello//x', '', url({ path: '//x' })],
  ['dots are not resolved', '/fn/default/hello/../../metrics', '', url({ path: '/../../metrics' })],
  ['encoded names are nobody’s', '/fn/default/he%6clo/', '', url({ of: named({ name: 'he%6clo' }) })],
  ['no name', '/fn/default/', '', { kind: 'control' }],
  ['no namespace', '/fn//hello/', '', { kind: 'control' }],
  ['a function URL by host', '/x?y', 'hello.default.fn.localhost:9000', url({ path: '/x', query: 'y' })],
  ['the host’s case does not matter', '/', 'Hello.Default.FN.localhost', url({})],
  ['the host decides before the path', '/metrics', 'hello.default.fn.localhost', url({ path: '/metrics' })],
  ['a name with dots', '/', 'a.b.default.fn.localhost', url({ of: named({ name: 'a.b' }) })],
  ['an alias’s URL by path', '/fn/default/hello:Live/x', '', url({ of: named({ alias: 'Live' }), path: '/x' })],
  ['an alias with an encoded colon', '/fn/default/hello%3aLive', '', url({ of: named({ alias: 'Live' }) })],
  [
    'a URL by its ID',
    '/a?b',
    `${id}.lambda-url.us-east-1.on.aws`,
    url({ of: { kind: 'id', id }, path: '/a', query: 'b' }),
  ],
  [
    'an ID before the install’s own domain',
    '/',
    `${id}.lambda-url.us-east-1.fn.localhost:9000`,
    url({ of: { kind: 'id', id } }),
  ],
  ['an ID in capitals', '/', `${id.toUpperCase()}.LAMBDA-URL.us-east-1.x`, url({ of: { kind: 'id', id } })],
  ['an ID that is too long', '/', `x${id}.lambda-url.us-east-1.on.aws`, { kind: 'control' }],
  ['an ID with other characters', '/', `${id.slice(0, 31)}0.lambda-url.us-east-1.on.aws`, { kind: 'control' }],
  ['an ID without a domain', '/', `${id}.lambda-url.`, { kind: 'control' }],
  ['only a namespace', '/', 'default.fn.localhost', { kind: 'control' }],
  ['a look-alike domain', '/', 'hello.default.xfn.localhost', { kind: 'control' }],
  [
    'a route by path',
    '/api/default/pets/7?x=1',
    '127.0.0.1:9000',
    { kind: 'httpRoute', site: { kind: 'namespace', namespace: 'default' }, path: '/pets/7', query: 'x=1' },
  ],
  [
    'a route at the root',
    '/api/default',
    '',
    { kind: 'httpRoute', site: { kind: 'namespace', namespace: 'default' }, path: '/', query: '' },
  ],
  ['a route of no namespace', '/api/', '', { kind: 'control' }],
  [
    'a route by host, whatever its path',
    '/2015-03-31/functions/hello/invocations',
    'Pets.API.localhost:9000',
    {
      kind: 'httpRoute',
      site: { kind: 'host', host: 'pets.api.localhost' },
      path: '/2015-03-31/functions/hello/invocations',
      query: '',
    },
  ],
  [
    'a host that is not for routes',
    '/2015-03-31/functions/a/invocations',
    'pets.example.com',
    { kind: 'invoke', label: 'a', query: '' },
  ],
  ['the rest is for the control API', '/healthz', '127.0.0.1', { kind: 'control' }],
])('parseRoute: %s', (_reason, target, host, want) => {
  expect(parseRoute(target, host, 'fn.localhost', routeHosts)).toEqual(want);
});

test.each(['http://127.0.0.1/healthz', '*', ''])('parseRoute: target %p is refused', (target) => {
  expect(parseRoute(target, '', 'fn.localhost', routeHosts).kind).toBe('bad');
});
