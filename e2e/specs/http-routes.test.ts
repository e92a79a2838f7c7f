import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestIssuer } from '@kappa/gateway/testing-issuer';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { send } from '../src/http-request.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

const example = fileURLToPath(new URL('../../examples/http-routes.yaml', import.meta.url));

/** Answers with its event, or as the query says. */
const mirror = `export const handler = async (event) => {
  const ask = event.queryStringParameters ?? {};
  if (ask.do === 'throw') throw new Error('on purpose');
  if (ask.do === 'text') return 'no object';
  if (ask.do === 'header') return { statusCode: 200, headers: { 'x-a': 'b\\r\\nset-cookie: c=d' } };
  if (ask.do === 'gif') return { statusCode: 200, headers: { 'content-type': 'image/gif' }, body: 'R0lGODlh', isBase64Encoded: true };
  const cookies = event.version === '2.0' ? { cookies: ['a=1', 'b=2'] } : { multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] } };
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, ...cookies, body: JSON.stringify(event) };
};`;
/** Lets in whom the header says; see the tests. */
const guard = `export const handler = async ({ identitySource: [word] }) => {
  if (word === 'sleep') await new Promise((resolve) => setTimeout(resolve, 60_000));
  if (word === 'throw') throw new Error('oh no');
  return word === 'nothing' ? {} : { isAuthorized: word === 'yes', context: { word } };
};`;

/** An event as kubectl shows it. */
interface Told {
  readonly reason: string;
  readonly note: string;
  readonly regarding: object;
}

let kappa: TestPlatform;
let issuer: TestIssuer;
const call = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(`${kappa.endpoint}/api/default${path}`, init);
const statusOf = async (path: string, init?: RequestInit): Promise<number> => {
  const answer = await call(path, init);
  await answer.body?.cancel();
  return answer.status;
};
const eventsOf = async (wanted: string): Promise<readonly Told[]> => {
  const { items } = await kappa.kubectl.json<{ items: Told[] }>(['events.events.k8s.io']);
  return items.filter(({ reason }) => reason === wanted);
};
const routesOf = (...routes: readonly object[]): object => ({ http: { routes } });

beforeAll(async () => {
  [kappa, issuer] = await Promise.all([startTestPlatform({ examples: false }), TestIssuer.start()]);
  const jwt = { issuer: issuer.url, audience: ['pets'], scopes: ['read'] };
  const lambda = { function: 'guard', identitySource: ['$request.header.x-word'] };
  const routes = routesOf(
    { path: '/one/{id}/{proxy+}', payloadFormat: '1.0', stage: 'prod' },
    { path: '/two/{id}' },
    { path: '/token', methods: ['GET'], authorizer: { jwt } },
    { path: '/guarded', authorizer: { lambda } },
    { path: '/slow', throttle: { ratePerSecond: 1, burst: 1 } },
    { host: 'pets.api.localhost', path: '/2015-03-31/functions/{name}/invocations' },
  );
  await kappa.kubectl.ok(['apply', '-f', example]);
  await kappa.kubectl.apply(nodeFunction('mirror', mirror, routes));
  await kappa.kubectl.apply(nodeFunction('guard', guard, { http: undefined, timeoutSeconds: 1 }));
  await kappa.kubectl.ok(['wait', 'fn', '--all', '--for=condition=Ready', '--timeout=30s']);
  await eventually('the routes answer', async () => (await statusOf('/two/1')) === 200);
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
  await issuer?.stop();
}, 60_000);

describe('the example: a REST API with an authorizer', () => {
  const as = (who: string, init: RequestInit = {}): RequestInit => ({
    ...init,
    headers: { ...init.headers, authorization: who },
  });

  test('who may read reads', async () => {
    const answer = await call('/v1/pets/7', as('reader'));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ id: '7', greeting: 'you are reader' });
  });

  test('who may write writes', async () => {
    const body = JSON.stringify({ name: 'Rex' });
    const headers = { 'content-type': 'application/json' };
    const answer = await call('/v1/pets/8', as('owner', { method: 'PUT', body, headers }));
    expect(await answer.json()).toEqual({ id: '8', name: 'Rex', by: 'owner' });
    expect(await statusOf('/v1/pets/8', as('owner', { method: 'DELETE' }))).toBe(204);
  });

  test.each<[reason: string, init: () => RequestInit, want: readonly [number, string]]>([
    ['nobody', () => ({}), [401, 'Unauthorized']],
    ['a stranger', () => as('stranger'), [401, 'Unauthorized']],
    ['a reader who writes', () => as('reader', { method: 'DELETE' }), [403, 'Forbidden']],
    ['a method that is no route', () => as('owner', { method: 'POST' }), [404, 'Not Found']],
  ])('%s is refused', async (_reason, init, [status, message]) => {
    const answer = await call('/v1/pets/7', init());
    expect([answer.status, await answer.json()]).toEqual([status, { message }]);
  });

  test('a page of another origin asks first', async () => {
    const headers = { origin: 'https://pets.example.com', 'access-control-request-method': 'PUT' };
    const answer = await call('/v1/pets/7', { method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET,PUT,DELETE');
    const refused = await call('/v1/pets/7', { headers: { origin: 'https://pets.example.com' } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
      401,
      'https://pets.example.com',
    ]);
  });

  test('its routes are the only way to it', async () => {
    expect((await fetch(`${kappa.endpoint}/fn/default/pets/`)).status).toBe(404);
    expect(await kappa.kubectl.ok(['get', 'fn', 'pets', '-o', 'jsonpath={.status.url}'])).toBe('');
  });
});

describe('what goes in and out', () => {
  test('payload 1.0', async () => {
    const body = new Uint8Array([255, 0, 1]);
    const headers = { cookie: 'c=3', 'content-type': 'application/octet-stream' };
    const answer = await call('/prod/one/a%20b/c/d?q=1&q=2', { method: 'POST', body, headers });
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await answer.json()).toMatchObject({
      version: '1.0',
      resource: '/one/{id}/{proxy+}',
      path: '/one/a%20b/c/d',
      httpMethod: 'POST',
      pathParameters: { id: 'a b', proxy: 'c/d' },
      queryStringParameters: { q: '2' },
      multiValueQueryStringParameters: { q: ['1', '2'] },
      stageVariables: null,
      requestContext: { stage: 'prod', path: '/prod/one/a%20b/c/d', accountId: '000000000000' },
      body: '/wAB',
      isBase64Encoded: true,
    });
  });

  test('payload 2.0', async () => {
    const answer = await call('/two/7?q=1&q=2', { headers: { cookie: 'c=3; d=4' } });
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const event = await answer.json();
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /two/{id}',
      rawPath: '/two/7',
      cookies: ['c=3', 'd=4'],
      pathParameters: { id: '7' },
      queryStringParameters: { q: '1,2' },
      requestContext: { stage: '$default', http: { method: 'GET', path: '/two/7' } },
    });
    expect(event).not.toHaveProperty('stageVariables');
  });

  test('bytes come back as bytes; HEAD has none; OPTIONS is the function’s', async () => {
    const gif = await call('/two/7?do=gif');
    expect([gif.headers.get('content-type'), await gif.text()]).toEqual(['image/gif', 'GIF89a']);
    const head = await call('/two/7?do=gif', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '6', '']);
    expect(await (await call('/two/7', { method: 'OPTIONS' })).json()).toMatchObject({ rawPath: '/two/7' });
  });

  test.each(['/two/7?do=throw', '/two/7?do=header', '/prod/one/7/x?do=text'])('%s is 502', async (path) => {
    const answer = await call(path);
    expect([answer.status, await answer.json()]).toEqual([502, { message: 'Internal Server Error' }]);
    expect(answer.headers.get('x-kappa-fault')).toBe('function');
  });

  test('a host of its own, on which every path is a route’s; the Lambda API stays where it is', async () => {
    const path = '/2015-03-31/functions/mirror/invocations';
    const byHost = await send(kappa.endpoint, { method: 'POST', path, host: 'pets.api.localhost', body: '{}' });
    expect(JSON.parse(byHost.text)).toMatchObject({ pathParameters: { name: 'mirror' } });
    const other = await send(kappa.endpoint, { path, host: 'other.api.localhost' });
    expect([other.status, JSON.parse(other.text)]).toEqual([404, { message: 'Not Found' }]);
    const invoked = await send(kappa.endpoint, { method: 'POST', path, body: '{"version":"2.0"}' });
    expect(JSON.parse(JSON.parse(invoked.text).body)).toEqual({ version: '2.0' });
  });

  test('the throttle', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => call('/slow')));
    const refused = all.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(await refused[0]?.json()).toEqual({ message: 'Too Many Requests' });
    expect(all.some(({ status }) => status === 200)).toBe(true);
  });
});

describe('who may ask', () => {
  const withToken = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

  test('tokens: good, expired, too weak, of a key that was rotated', async () => {
    const good = await issuer.token({ scope: 'read' });
    const answer = await call('/token', withToken(good));
    expect(await answer.json()).toMatchObject({
      requestContext: { authorizer: { jwt: { claims: { sub: 'me', scope: 'read' }, scopes: ['read'] } } },
    });
    const expired = await call('/token', withToken(await issuer.token({ scope: 'read', exp: 1_000_000_000 })));
    expect([expired.status, expired.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="invalid_token" error_description="the token has expired"',
    ]);
    expect(await statusOf('/token', withToken(await issuer.token()))).toBe(403);
    expect(await statusOf('/token')).toBe(401);
    await issuer.rotate('ES256');
    const newer = withToken(await issuer.token({ scope: 'read' }));
    await eventually('the new key is known', async () => (await statusOf('/token', newer)) === 200);
    expect(await statusOf('/token', withToken(good))).toBe(401);
  });

  test.each<[word: string, want: number]>([
    ['yes', 200],
    ['no', 403],
    ['throw', 500],
    ['nothing', 500],
    ['sleep', 500],
  ])('an authorizer that is told %s: %i', async (word, want) => {
    const answer = await call('/guarded', { headers: { 'x-word': word } });
    expect(answer.status).toBe(want);
    if (want === 500) expect(await answer.json()).toEqual({ message: 'Internal Server Error' });
    else await answer.body?.cancel();
  });

  test('the owner of the route is told why', async () => {
    const told = async () => (await eventsOf('RouteAuthorizerFailed')).map(({ note }) => note);
    for (const how of ['has thrown an error or ended', 'took too long']) {
      const text = `Requests of its route ANY /guarded are answered 500: the authorizer guard ${how}; its log says more.`;
      await eventually(`it is told: ${how}`, async () => (await told()).includes(text));
    }
  });
});

describe('changes', () => {
  test('routes change under load, and no request is lost', async () => {
    const source = 'export const handler = async (event) => ({ statusCode: 200, body: event.routeKey });';
    const apply = (...routes: readonly object[]) =>
      kappa.kubectl.apply(nodeFunction('changing', source, routesOf({ path: '/stays' }, ...routes)));
    await apply({ path: '/old' });
    await eventually('the old route answers', async () => (await statusOf('/old')) === 200);
    const statuses = new Set<number>();
    const done = new AbortController();
    const load = (async () => {
      while (!done.signal.aborted) statuses.add(await statusOf('/stays'));
    })();
    await apply({ path: '/new' });
    await eventually('the new route answers', async () => (await statusOf('/new')) === 200);
    expect(await statusOf('/old')).toBe(404);
    done.abort();
    await load;
    expect([...statuses]).toEqual([200]);
    await kappa.deleteFunction('changing');
    await eventually('the routes are gone', async () => (await statusOf('/new')) === 404);
  });

  test('the API server is away, and then the gateway was killed: routes answer as before', async () => {
    const asOwner = { headers: { authorization: 'owner' } };
    kappa.signal('api', 'SIGSTOP');
    try {
      expect(await statusOf('/v1/pets/7', asOwner)).toBe(200);
      expect(await statusOf('/v1/pets/7')).toBe(401);
    } finally {
      kappa.signal('api', 'SIGCONT');
    }
    await kappa.kill('gateway');
    await kappa.start('gateway');
    expect(await statusOf('/v1/pets/7', asOwner)).toBe(200);
    expect(await statusOf('/v1/pets/7')).toBe(401);
    expect(await statusOf('/nowhere')).toBe(404);
  });

  test('who comes second is told', async () => {
    await kappa.kubectl.apply(nodeFunction('second', mirror, routesOf({ path: '/two/{other}' })));
    await kappa.kubectl.ok(['wait', 'fn/second', '--for=condition=Ready', '--timeout=30s']);
    const told = await eventually('the conflict is told', async () => (await eventsOf('RouteConflict'))[0]);
    expect(told.regarding).toMatchObject({ kind: 'Function', name: 'second' });
    expect(told.note).toContain('the older Function mirror has the same one');
    expect(await (await call('/two/7')).json()).toMatchObject({ routeKey: 'ANY /two/{id}' });
  });
});
