import { fileURLToPath } from 'node:url';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { InstalledKappa, isReady, release } from '../src/installed.ts';
import { test } from '../src/needs.ts';

let kappa: InstalledKappa;
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.gatewaysReady();
}, 240_000);
afterAll(() => kappa?.stop());

const example = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));

test('every pod of the platform is ready, and the gateways stand in three zones @zones', async () => {
  const { items: nodes } = await kappa.kubectl.json<{
    items: { metadata: { name: string; labels: Record<string, string> } }[];
  }>(['nodes']);
  const zoneOf = new Map(nodes.map(({ metadata }) => [metadata.name, metadata.labels['topology.kubernetes.io/zone']]));
  const gateways = await kappa.gateways();
  expect(new Set(gateways.map(({ spec }) => zoneOf.get(spec.nodeName ?? ''))).size).toBe(3);
  // Helm waits for one of them: the other may be missing during a roll-out.
  await eventually('both controllers are ready', async () => {
    const controllers = await kappa.pods(release.namespace, 'app.kubernetes.io/name=kappa-controller');
    return controllers.filter(isReady).length === 2;
  });
});

/** Pods that hold a function; undefined while there are none. */
const podNames = async (fn: string): Promise<readonly string[] | undefined> => {
  const names = (await kappa.podsOf(fn)).map(({ metadata }) => metadata.name);
  return names.length > 0 ? names : undefined;
};

test('the examples are applied, answer through the Service, and go back to zero', async () => {
  for (const file of ['hello-node.yaml', 'hello-python.yaml', 'echo.yaml'])
    await kappa.kubectl.ok(['apply', '-f', example(file)]);
  await kappa.kubectl.ok(['wait', 'fn', '--all', '--for=condition=Ready', '--timeout=60s']);
  const call = (path: string): Promise<Response> =>
    eventually(`${path} is known`, async () => {
      const answer = await fetch(`${kappa.endpoint}/fn/default/${path}`);
      return answer.status === 404 ? undefined : answer;
    });
  expect(await (await call('hello-node/?name=you')).json()).toMatchObject({ message: 'Hello, you!' });
  expect(await (await call('hello-python/')).text()).toMatch(/hello/i);
  expect((await call('echo/')).status).toBe(200);
  await kappa.kubectl.ok(['patch', 'fn', 'hello-node', '--type=merge', '-p', '{"spec":{"idleTimeoutSeconds":5}}']);
  await call('hello-node/');
  const pods = await eventually('the call has a pod', () => podNames('hello-node'));
  await eventually('hello-node is back at zero', async () => (await kappa.podsOf('hello-node')).length === 0, 60_000);
  expect((await call('hello-node/')).status).toBe(200);
  const [again = ''] = await eventually('it has a pod again', () => podNames('hello-node'));
  expect(pods).not.toContain(again);
}, 240_000);

test('the AWS SDK invokes with the access key of the install, and with no other', async () => {
  const client = await kappa.lambda();
  const answer = await client.send(new InvokeCommand({ FunctionName: 'hello-node', Payload: Buffer.from('{}') }));
  expect(answer.StatusCode).toBe(200);
  expect(answer.FunctionError).toBeUndefined();
  const stranger = await kappa.lambda(kappa.endpoint, 'wrong');
  await expect(stranger.send(new InvokeCommand({ FunctionName: 'hello-node' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  });
  expect(
    (await fetch(`${kappa.endpoint}/2015-03-31/functions/hello-node/invocations`, { method: 'POST' })).status,
  ).toBe(403);
}, 60_000);

test('helm test passes', async () => {
  expect(await kappa.helm('test', release.name, '--timeout', '120s')).toContain('Phase:          Succeeded');
}, 150_000);
