import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import type { Outcome } from '../dispatch/types.ts';
import { answered, until } from '../testing.ts';
import { TestIssuer } from './testing-issuer.ts';
import { guarded, RouteRig, shown } from './testing-rig.ts';

let rig: RouteRig;
let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(() => issuer.stop());
beforeEach(async () => {
  rig = await RouteRig.start();
});
afterEach(() => rig.stop());

describe('tokens', () => {
  const route = (scopes: readonly string[] = []) => ({
    authorizer: {
      jwt: { issuer: issuer.url, audience: ['pets'], scopes, identitySource: '$request.header.Authorization' },
    },
  });

  test('who brings one is let in, and its claims reach the function', async () => {
    rig.serve(route());
    expect((await rig.get('/pets', { authorization: `Bearer ${await issuer.token()}` })).status).toBe(200);
    expect(rig.ran[0]?.event.requestContext.authorizer).toMatchObject({ jwt: { claims: { sub: 'me' } } });
  });

  test('who does not is 401, 403 without a scope', async () => {
    rig.serve(route(['write']));
    const none = await rig.get('/pets');
    expect([none.status, JSON.parse(none.body.toString())]).toEqual([401, { message: 'Unauthorized' }]);
    expect(none.headers['www-authenticate']).toBe('Bearer');
    const bad = await rig.get('/pets', { authorization: 'Bearer x' });
    expect(bad.headers['www-authenticate']).toContain('error="invalid_token"');
    const weak = await rig.get('/pets', { authorization: `Bearer ${await issuer.token({ scope: 'read' })}` });
    expect([weak.status, JSON.parse(weak.body.toString())]).toEqual([403, { message: 'Forbidden' }]);
    expect(rig.ran).toEqual([]);
  });

  test('a token in the query', async () => {
    const { jwt } = route().authorizer;
    rig.serve({ authorizer: { jwt: { ...jwt, identitySource: '$request.querystring.token' } } });
    expect((await rig.get(`/pets?token=${await issuer.token()}`)).status).toBe(200);
    expect((await rig.get(`/pets?token=x&token=${await issuer.token()}`)).status).toBe(401);
  });
});

test('a spelling that is another route for some frameworks is no way round its authorizer', async () => {
  rig.serve({ path: '/admin/{proxy+}', ...guarded() }, { path: '/{proxy+}' });
  for (const path of ['/admin%2Fx', '/admin;a=1/x', '/public/..;/admin/x']) {
    const { status, headers } = await rig.get(path);
    expect([path, status, headers['x-kappa-fault']]).toEqual([path, 400, 'caller']);
  }
  expect(rig.ran).toEqual([]);
  expect((await rig.get('/public%2Fx;a=1')).status).toBe(200);
});

describe('a function that authorizes', () => {
  const allowed = { authorization: 'secret' };

  test('it is asked with the request, and its context reaches the function', async () => {
    rig.serve({ path: '/pets/{id}', stage: 'prod', methods: ['POST'], ...guarded() });
    expect((await rig.get('/prod//pets/7?x=1', allowed, 'POST', Buffer.from('body'))).status).toBe(200);
    const [question, call] = rig.ran;
    expect(question?.event).toMatchObject({
      version: '2.0',
      type: 'REQUEST',
      routeArn: expect.stringMatching(/^arn:aws:execute-api:us-east-1:000000000000:[a-z0-9]{10}\/prod\/POST\/pets\/7$/),
      identitySource: ['secret'],
      rawPath: '/prod//pets/7',
      pathParameters: { id: '7' },
      queryStringParameters: { x: '1' },
    });
    expect(question?.event).not.toHaveProperty('body');
    expect(call?.event).toMatchObject({ body: 'Ym9keQ==', requestContext: { authorizer: { lambda: { user: 'me' } } } });
  });

  test('payload 1.0 has its own form of both', async () => {
    rig.serve({ payloadFormat: '1.0', ...guarded() });
    rig.guard = ({ methodArn }) =>
      answered(
        JSON.stringify({
          principalId: 'me',
          policyDocument: { Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: methodArn }] },
        }),
      );
    expect((await rig.get('/pets', allowed)).status).toBe(200);
    expect(rig.ran[0]?.event).toMatchObject({ version: '1.0', type: 'REQUEST', authorizationToken: 'secret' });
    expect(rig.ran[1]?.event.requestContext.authorizer).toEqual({ principalId: 'me' });
  });

  test.each<[reason: string, answer: () => Outcome, want: unknown]>([
    ['says no', () => answered('{"isAuthorized":false}'), [403, { message: 'Forbidden' }]],
    ['denies by policy', () => answered(denial), [403, { message: 'Forbidden' }]],
    ['throws Unauthorized', () => failed('Unauthorized'), [401, { message: 'Unauthorized' }]],
    ['throws something else', () => failed('oh no'), [500, { message: 'Internal Server Error' }]],
    [
      'takes too long',
      () => answered('{"errorMessage":"Task timed out"}', { kind: 'error', errorType: 'Sandbox.Timedout' }),
      [500, { message: 'Internal Server Error' }],
    ],
    ['answers nothing that says anything', () => answered('{}'), [500, { message: 'Internal Server Error' }]],
  ])('one that %s', async (_reason, answer, want) => {
    rig.serve(guarded({ ttlSeconds: 60 }));
    rig.guard = answer;
    expect(await shown(rig.get('/pets', allowed))).toEqual(want);
    expect(rig.ran).toHaveLength(1);
  });

  test('one that does not exist', async () => {
    rig.serve(guarded({ function: 'nobody' }), { path: '/cats', ...guarded({ function: 'guard:live' }) });
    for (const path of ['/pets', '/cats']) {
      const reply = await rig.get(path, allowed);
      expect([reply.status, reply.headers['x-kappa-fault']]).toEqual([500, 'function']);
      expect(reply.headers['x-kappa-error-message']).not.toMatch(/nobody|guard/);
    }
    expect(rig.problems.map(({ reason, message }) => [reason, message])).toEqual([
      [
        'RouteAuthorizerFailed',
        'Requests of its route ANY /pets are answered 500: the authorizer nobody is no function of namespace default.',
      ],
      [
        'RouteAuthorizerFailed',
        'Requests of its route ANY /cats are answered 500: the authorizer guard has no version or alias live.',
      ],
    ]);
  });

  test('without the identity nobody is asked', async () => {
    rig.serve(guarded({ identitySource: ['$request.header.Authorization', '$request.querystring.key'] }));
    expect(await shown(rig.get('/pets', allowed))).toEqual([401, { message: 'Unauthorized' }]);
    expect(rig.asked).toBe(0);
    expect((await rig.get('/pets?key=1', allowed)).status).toBe(200);
    expect(rig.ran[0]?.event.identitySource).toEqual(['secret', '1']);
  });

  test('its answer is kept for that identity and route, for so long', async () => {
    rig.serve(guarded({ ttlSeconds: 60 }), { path: '/cats', ...guarded({ ttlSeconds: 60 }) });
    for (let n = 0; n < 3; n += 1) expect((await rig.get('/pets', allowed)).status).toBe(200);
    expect(rig.asked).toBe(1);
    await rig.get('/pets', { authorization: 'other' });
    await rig.get('/cats', allowed);
    expect(rig.asked).toBe(3);
    rig.nowMs += 61_000;
    await rig.get('/pets', allowed);
    expect(rig.asked).toBe(4);
  });

  test('a refusal is kept, a failure is not', async () => {
    rig.serve(guarded({ ttlSeconds: 60 }));
    rig.guard = () => failed('oh no');
    expect((await rig.get('/pets', allowed)).status).toBe(500);
    rig.guard = () => answered('{"isAuthorized":false}');
    expect((await rig.get('/pets', allowed)).status).toBe(403);
    rig.guard = () => answered('{"isAuthorized":true}');
    expect((await rig.get('/pets', allowed)).status).toBe(403);
    expect(rig.asked).toBe(2);
  });

  test('a policy that is kept is asked for each path', async () => {
    rig.serve({ path: '/pets/{id}', ...guarded({ ttlSeconds: 60 }) });
    rig.guard = ({ routeArn }) =>
      answered(JSON.stringify({ policyDocument: { Statement: { Effect: 'Allow', Action: '*', Resource: routeArn } } }));
    const statuses = [
      await rig.get('/pets/7', allowed),
      await rig.get('/pets/8', allowed),
      await rig.get('/p%65ts/7', allowed),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([200, 403, 200]);
    expect(rig.asked).toBe(1);
  });

  test('requests that come meanwhile wait for the one answer', async () => {
    rig.serve(guarded({ ttlSeconds: 60 }));
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    rig.guard = () => promise;
    const replies = [1, 2, 3].map(() => rig.get('/pets', allowed));
    await until(() => rig.asked === 1);
    resolve(answered('{"isAuthorized":true}'));
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(rig.asked).toBe(1);
  });

  const denial = JSON.stringify({
    policyDocument: { Statement: [{ Effect: 'Deny', Action: 'execute-api:Invoke', Resource: '*' }] },
  });
  const failed = (errorMessage: string): Outcome =>
    answered(JSON.stringify({ errorMessage, errorType: 'Error' }), { kind: 'error', errorType: 'Error' });
});
