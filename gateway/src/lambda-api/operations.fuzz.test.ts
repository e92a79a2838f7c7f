import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { makeCode } from '../dispatch/testing-agent.ts';
import { fetchOnce, type Reply, until } from '../testing.ts';
import { type TestGateway, TestInstall } from '../testing-install.ts';
import { lambdaModel, type Operation } from './model/model.ts';
import { matchOperation } from './model/router.ts';
import { operations } from './operations.ts';
import { type Asked, problemOf } from './testing-replies.ts';
import { type Anchors, type WireRequest, wireRequests } from './testing-requests.ts';

/*
 * Every operation, by HTTP, through a gateway as it is: whatever comes in, the answer is one that the service model has for it, never a fault
 * of the platform, and the gateway goes on.
 *
 * `KAPPA_TEST_RUNS`: requests of each operation; then the seed is another one each time. `KAPPA_TEST_SEED`: that of a run that failed.
 */

const { KAPPA_TEST_RUNS: runs, KAPPA_TEST_SEED: again } = process.env;
const numRuns = Number(runs ?? 10);
const seed = Number(again ?? (runs === undefined ? 5 : Date.now() % 2 ** 31));

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:hello';
const layerArn = 'arn:aws:lambda:us-east-1:000000000000:layer:lib';
const role = 'arn:aws:iam::000000000000:role/any';
const queue = 'arn:aws:sqs:us-east-1:000000000000:jobs';
const statement = { Sid: 's1', Effect: 'Allow', Action: 'lambda:InvokeFunction' };

let install: TestInstall;
let gateway: TestGateway;
let zip: Buffer;
let mapping: string;
const sent = { all: 0, answered: 0 };

beforeAll(async () => {
  install = await TestInstall.start();
  gateway = await install.gateway({ KAPPA_CAPACITY_WAIT_MS: '100' });
  zip = (await makeCode({ 'index.mjs': 'export const handler = () => 1;' })).zip;
  await makeAll();
}, 120_000);
afterAll(async () => {
  await install?.stop();
}, 60_000);

test.each([...lambdaModel.operations.values()].map((operation) => [operation.name, operation] as const))(
  '%s',
  async (_name, operation) => {
    const property = fc.asyncProperty(wireRequests(operation, anchorsOf(operation)), async (request) => {
      const reply = await send(request);
      sent.all += 1;
      if (reply.status < 300) sent.answered += 1;
      const problem = problemOf(askedBy(request), reply);
      if (problem !== null)
        throw new Error(
          `${problem}\n${shown(request)}\n${reply.status} ${reply.body.subarray(0, 500)}\n${gateway.problems.at(-1)}`,
        );
      if (reply.status < 300 && request.method !== 'GET') await restore(operation);
    });
    await fc.assert(property, { seed, numRuns, endOnFailure: true });
  },
  60_000 + numRuns * 200,
);

test('enough of them were good to get beyond the first checks', () => {
  expect(sent.answered / sent.all).toBeGreaterThan(0.1);
});

test('and it serves on, holds nothing, and has met no fault of its own', async () => {
  expect(gateway.isAlive()).toBe(true);
  expect((await call('GET', '/2016-08-19/account-settings')).status).toBe(200);
  const held = async (): Promise<string> => String((await fetchOnce(gateway.port, { path: '/metrics' })).body);
  await until(async () => /^kappa_gateway_buffered_bytes 0$/m.test(await held()));
  expect(gateway.problems.filter((line) => line.includes('"code":"ServiceException"'))).toEqual([]);
});

/** With its length: of GET and DELETE Node's client does not say it by itself. */
function send({ method, target, headers, body }: WireRequest): Promise<Reply> {
  const length = 'transfer-encoding' in headers ? {} : { 'content-length': String(body.length) };
  return fetchOnce(gateway.port, { method, path: target, headers: { ...headers, ...length }, body });
}

/** The operation that the request line means now: another method or path may be another operation. */
function askedBy(request: WireRequest): Asked {
  const operation = operationOf(request);
  return {
    request,
    operation,
    isSupported: operation !== null && operations[operation.name].status !== 'unsupported',
    followsModel: operation !== null && !runsFunctions(operation),
  };
}

function operationOf({ method, target }: WireRequest): Operation | null {
  return matchOperation(method, target.replaceAll('%', '-'))?.operation ?? null; // a path that does not decode is meant for it, too
}

/** These look at what they need, and at nothing else. */
function runsFunctions({ name }: Operation): boolean {
  return name === 'Invoke' || name === 'InvokeWithResponseStream';
}

/** Nothing runs functions here: only one without concurrency answers at once. */
function anchorsOf(operation: Operation): Anchors {
  const names = [...Array(8).fill('hello'), arn, '000000000000:function:hello', 'hello:live', `${arn}:1`, 'nobody'];
  const foreign = [
    'arn:aws:lambda:eu-west-1:000000000000:function:hello',
    'arn:aws:lambda:us-east-1:111111111111:function:hello',
  ];
  return {
    FunctionName: runsFunctions(operation) ? ['closed', 'nobody'] : [...names, ...foreign],
    Qualifier: ['$LATEST', '1', 'live', '9', ...Array(5).fill(undefined)],
    Name: ['live', 'blue'],
    FunctionVersion: ['1', '2', '$LATEST'],
    LayerName: operation.name === 'DeleteLayerVersion' ? ['spare'] : ['lib', 'lib', layerArn],
    VersionNumber: [1, 1, 2],
    Arn: [`${layerArn}:1`],
    Resource: [arn, `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${mapping}`, `${arn}:live`],
    ResourceArn: [arn, `${arn}:live`],
    UUID: [mapping, '00000000-0000-4000-8000-000000000000'],
    StatementId: operation.name.startsWith('Add') ? ['s1', 's2', 's3'] : ['s1'],
    Principal: ['*', 's3.amazonaws.com'],
    Action: operation.name.startsWith('AddLayer') ? ['lambda:GetLayerVersion'] : ['lambda:InvokeFunction'],
    Policy: [JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, Principal: '*', Resource: arn }] })],
    OrganizationId: [undefined],
    PrincipalOrgID: [undefined],
    FunctionUrlAuthType: [undefined],
    InvokedViaFunctionUrl: [undefined],
    Cors: [undefined, { AllowOrigins: ['*'] }],
    DestinationConfig: [undefined],
    RoutingConfig: [undefined, { AdditionalVersionWeights: { 2: 0.5 } }],
    RuntimeVersionArn: [undefined],
    UpdateRuntimeOn: ['Auto', 'FunctionUpdate'],
    Tags: [{ team: 'a' }],
    TagKeys: [['team'], ['nothing']],
    EventInvokeConfig: [undefined],
    Role: [role],
    Code: [{ ZipFile: zip }, { ZipFile: zip.subarray(1) }],
    ZipFile: [zip, zip.subarray(0, 40), undefined],
    Content: [{ ZipFile: zip }],
    Runtime: ['nodejs24.x', 'python3.11'],
    Handler: ['index.handler'],
    Layers: [[`${layerArn}:1`], [], undefined],
    EventSourceArn: [queue, 'arn:aws:kinesis:us-east-1:000000000000:stream/s', undefined],
    StartingPosition: ['LATEST', undefined],
    SelfManagedEventSource: [undefined],
    RevisionId: [undefined],
    CodeSha256: [undefined],
    Marker: [undefined],
    PackageType: ['Zip', undefined],
    Architectures: [undefined],
    DurableConfig: [undefined],
    TenancyConfig: [undefined],
    CapacityProviderConfig: [undefined],
    CodeSigningConfigArn: [undefined],
    PublishTo: [undefined],
    ReservedConcurrentExecutions: [0, 1, 900, 901],
    ProvisionedConcurrentExecutions: [1, 900],
  };
}

function shown({ method, target, headers, body, verdict }: WireRequest): string {
  return `${method} ${target.slice(0, 600)}\n${JSON.stringify(headers)}\n${body.subarray(0, 1500)}\nthe model: ${verdict}`;
}

function call(method: string, path: string, body?: object): Promise<Reply> {
  return fetchOnce(gateway.port, { method, path, ...(body !== undefined && { body: JSON.stringify(body) }) });
}

const functionPath = '/2015-03-31/functions/hello';

/** What the operations are about. What is there already, stays. */
async function makeAll(): Promise<void> {
  const Code = { ZipFile: zip.toString('base64') };
  for (const FunctionName of ['hello', 'closed']) {
    const code = { Runtime: 'nodejs24.x', Handler: 'index.handler', Role: role, Code };
    await call('POST', '/2015-03-31/functions', { FunctionName, ...code });
    await settled(FunctionName);
  }
  await call('PUT', '/2017-10-31/functions/closed/concurrency', { ReservedConcurrentExecutions: 0 });
  for (const Description of ['one', 'two']) {
    await call('PUT', `${functionPath}/configuration`, { Description });
    await settled('hello');
    await call('POST', `${functionPath}/versions`, {});
  }
  await call('POST', `${functionPath}/aliases`, { Name: 'live', FunctionVersion: '1' });
  for (const name of ['lib', 'spare']) {
    const path = `/2018-10-31/layers/${name}/versions`;
    if ((await call('GET', `${path}/1`)).status === 404) await call('POST', path, { Content: Code });
  }
  const layerStatement = { StatementId: 's1', Action: 'lambda:GetLayerVersion', Principal: '*' };
  await call('POST', '/2018-10-31/layers/lib/versions/1/policy', layerStatement);
  await call('POST', '/2021-10-31/functions/hello/url', { AuthType: 'NONE' });
  const functionStatement = { StatementId: 's1', Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com' };
  await call('POST', `${functionPath}/policy`, functionStatement);
  await call('PUT', '/2019-09-25/functions/hello/event-invoke-config', { MaximumRetryAttempts: 1 });
  const path = '/2015-03-31/event-source-mappings';
  const reply = await call('POST', path, { FunctionName: 'hello', EventSourceArn: queue });
  if (reply.status === 202) mapping = JSON.parse(String(reply.body)).UUID;
}

/** After a change: what it took away is made again, and what it set in motion has come to an end. */
async function restore({ name }: Operation): Promise<void> {
  if (/^(Delete|Remove)/.test(name)) await makeAll();
  else await settled('hello');
}

async function settled(name: string): Promise<void> {
  await until(
    async () => {
      const { status, body } = await call('GET', `/2015-03-31/functions/${name}/configuration`);
      const { State, LastUpdateStatus } = JSON.parse(String(body));
      return status === 404 || (State !== 'Pending' && LastUpdateStatus !== 'InProgress');
    },
    () => `${name} does not come to rest`,
  );
}
