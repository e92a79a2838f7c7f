import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AccessKey } from '../auth/access-keys.ts';
import { makeAuthenticator, openDoor } from '../auth/authenticator.ts';
import { keysOf, sign, testKey } from '../auth/testing.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { controlApp } from '../http/control-app.ts';
import { fetchOnce, functionView, type Reply, routed, testRouting } from '../testing.ts';
import { makeLambdaApi } from './api.ts';
import { lambdaModel } from './model/model.ts';
import { Objects } from './objects.ts';
import { operations } from './operations.ts';
import { FakeObjects, functionSpec, refusal } from './testing.ts';
import { testUploads } from './uploads/testing.ts';

const bound: AccessKey = { ...testKey, accessKeyId: 'AKBOUND', accounts: ['111111111111'] };
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:hello';
const path = '/2015-03-31/functions/hello';
const reservePath = '/2017-10-31/functions/hello/concurrency';
const status = {
  observedGeneration: 1,
  state: 'Active',
  lastUpdateStatus: 'Successful',
  latestVersion: 'hello-aaaaaaaaaa',
};

let server: Server;
let port: number;
let kubernetes: FakeObjects;
let budget: BufferBudget;
let namespacesMade: number;

/** The API over objects in memory, which it sees as soon as they are written. */
async function start(isOpen: boolean): Promise<void> {
  kubernetes = new FakeObjects();
  namespacesMade = 0;
  kubernetes.set('functions', 'default', 'hello', { spec: functionSpec, status });
  budget = new BufferBudget(70_000_000);
  const keys = keysOf(testKey, bound);
  const namespaces = new Map([
    ['000000000000', 'default'],
    ['111111111111', 'team'],
  ]);
  const lambdaApi = makeLambdaApi({
    authenticator: isOpen ? openDoor : makeAuthenticator({ keys, region: 'us-east-1', now: Date.now }),
    budget,
    objects: new Objects({ kubernetes, sleep: () => Promise.resolve(), random: () => 0 }),
    directory: {
      namespaceOf: async (accountId) => namespaces.get(accountId),
      namespacesOf: async (accountId) => [namespaces.get(accountId) ?? []].flat(),
      locate: async (accountId, name) =>
        accountId === '000000000000' && name === 'hello' ? functionView() : undefined,
      look: () => ({ fn: functionView(), routed: routed(), versions: [], aliases: [] }),
      podsOf: () => [],
      ofAccount: () => [functionView({ reserved: 100 })],
    },
    blobs: { put: () => Promise.reject(new Error('not here')), get: async () => Buffer.of(), sizeOf: async () => 5 },
    readS3: () => Promise.reject(new Error('not here')),
    resolve: () => Promise.reject(new Error('not here')),
    accept: () => Promise.reject(new Error('not here')),
    ...testUploads(),
    makeNamespace: async () => {
      namespacesMade += 1;
    },
    region: 'us-east-1',
    systemNamespace: 'kappa-system',
    accountConcurrency: 1000,
    codeUrl: (origin, sha256) => `${origin}/${sha256.slice(0, 4)}`,
    publicUrl: 'https://kappa.example',
    arnOf: testRouting.arnOf,
    now: Date.now,
    nowMs: () => performance.now(),
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const app = controlApp({ admin: null, blobs: null, code: null, lambdaApi, onError: () => undefined });
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = Number(Object(server.address()).port);
}

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(budget.usedBytes).toBe(0);
});

const errorOf = ({ status, headers, body }: Reply) => [status, headers['x-amzn-errortype'], JSON.parse(String(body))];

async function signed(key: AccessKey, target: string, change: { readonly body?: string } = {}): Promise<Reply> {
  const [at = '', search = ''] = target.split('?');
  const query = Object.fromEntries(new URLSearchParams(search));
  const method = change.body === undefined ? 'GET' : 'PUT';
  const request = await sign({ method, path: at, query, key, ...change });
  const { headers } = request;
  return fetchOnce(port, { method, path: request.target, headers: { ...headers }, ...change });
}

describe('with signatures', () => {
  beforeEach(() => start(false));

  test('a signed request is answered as the model says', async () => {
    const reply = await signed(testKey, `${path}?Qualifier=%24LATEST`);
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(String(reply.body))).toMatchObject({
      Configuration: { FunctionName: 'hello', FunctionArn: `${arn}:$LATEST`, State: 'Active', CodeSize: 5 },
      Code: { Location: 'http://kappa.test:9000/abab' },
    });
  });

  test('nobody else is: not signed, wrongly signed, or with another body than was signed', async () => {
    expect(errorOf(await fetchOnce(port, { path }))[1]).toBe('MissingAuthenticationTokenException');
    const wrong = { ...testKey, secretAccessKey: 'another-secret-key' };
    expect(errorOf(await signed(wrong, path)).slice(0, 2)).toEqual([403, 'InvalidSignatureException']);
    const request = await sign({
      method: 'PUT',
      path: reservePath,
      body: '{"ReservedConcurrentExecutions":1}',
    });
    const body = '{"ReservedConcurrentExecutions":9}';
    const { target, headers } = request;
    const reply = await fetchOnce(port, { method: 'PUT', path: target, headers: { ...headers }, body });
    expect(errorOf(reply).slice(0, 2)).toEqual([403, 'InvalidSignatureException']);
  });

  test('a key of one account reaches its own functions by their names, and nobody else’s', async () => {
    kubernetes.set('functions', 'team', 'hello', { spec: { ...functionSpec, description: 'of the team' } });
    const own = JSON.parse(String((await signed(bound, `${path}/configuration`)).body));
    expect(own).toMatchObject({ Description: 'of the team', FunctionArn: arn.replace(/0{12}/, '1'.repeat(12)) });
    const [code, name, { Message }] = errorOf(await signed(bound, `/2015-03-31/functions/${encodeURIComponent(arn)}`));
    expect([code, name]).toEqual([403, 'AccessDeniedException']);
    expect(Message).toBe(
      `User: arn:aws:iam::111111111111:root is not authorized to perform: lambda:GetFunction on resource: ${arn} because no identity-based policy allows the lambda:GetFunction action`,
    );
  });

  test('what is not supported is told to those who may ask only', async () => {
    expect(errorOf(await fetchOnce(port, { path: '/2025-11-30/capacity-providers' }))[1]).toBe(
      'MissingAuthenticationTokenException',
    );
    expect(errorOf(await signed(testKey, '/2025-11-30/capacity-providers')).slice(0, 2)).toEqual([
      501,
      'NotImplementedException',
    ]);
  });
});

describe('without', () => {
  beforeEach(() => start(true));

  test('no operation', async () => {
    const reply = await fetchOnce(port, { method: 'DELETE', path: '/2015-03-31/nothing' });
    expect(errorOf(reply).slice(0, 2)).toEqual([403, 'AccessDeniedException']);
  });

  test.each<[method: string, target: string, body: object, made: number]>([
    ['POST', '/2015-03-31/functions', { FunctionName: 'f' }, 0],
    ['DELETE', '/2015-03-31/functions/none', {}, 0],
    ['PUT', '/2015-03-31/functions/none/configuration', { Timeout: 5 }, 0],
    ['POST', '/2018-10-31/layers/l/versions', { Content: { ZipFile: 'AAAA' } }, 1],
  ])('a namespace is made for what is written first, and is no wrong request: %s %s', async (...row) => {
    const [method, target, body, made] = row;
    await fetchOnce(port, { method, path: target, body: JSON.stringify(body) });
    expect(namespacesMade).toBe(made);
  });

  test('several violations are counted', async () => {
    const body = JSON.stringify({ Timeout: 0, MemorySize: 1 });
    const [code, name, { message }] = errorOf(
      await fetchOnce(port, { method: 'PUT', path: `${path}/configuration`, body }),
    );
    expect([code, name]).toEqual([400, 'ValidationException']);
    expect(message).toMatch(/^2 validation errors detected: /);
  });

  test('a body above the limit of an operation without code', async () => {
    const body = Buffer.alloc(262_145, 0x20);
    const reply = await fetchOnce(port, { method: 'PUT', path: `${path}/configuration`, body });
    expect(errorOf(reply).slice(0, 2)).toEqual([413, 'RequestEntityTooLargeException']);
  });

  test('the API server is away', async () => {
    kubernetes.fault = refusal(0, 'Unreachable');
    const reply = await fetchOnce(port, { path });
    expect(errorOf(reply).slice(0, 2)).toEqual([500, 'ServiceException']);
    expect(reply.headers['retry-after']).toBe('1');
  });

  test('a name with its ARN in the path, a slash at the end', async () => {
    for (const target of [
      `/2015-03-31/functions/${encodeURIComponent(arn)}/`,
      '/2015-03-31/functions/hello%3A%24LATEST',
    ])
      expect((await fetchOnce(port, { path: target })).status).toBe(200);
  });

  test('reserved concurrency leaves 100 to the others', async () => {
    const put = (reserved: number) =>
      fetchOnce(port, {
        ...{ method: 'PUT', path: reservePath },
        body: JSON.stringify({ ReservedConcurrentExecutions: reserved }),
      });
    expect((await put(800)).status).toBe(200);
    expect(errorOf(await put(801)).slice(0, 2)).toEqual([400, 'InvalidParameterValueException']);
  });
});

test('every operation of the model has a row', async () => {
  await start(true);
  expect(Object.keys(operations).sort()).toEqual([...lambdaModel.operations.keys()].sort());
  expect(Object.keys(operations)).toHaveLength(91);
});
