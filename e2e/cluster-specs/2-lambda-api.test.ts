import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { InstalledKappa, release } from '../src/installed.ts';
import { zipWithEntry } from '../src/platform.ts';

/*
 * What the specs of local mode prove of the Lambda API, once through on an install: signed calls, the object store, the rights that the chart
 * gives, pods that cannot write. Each test goes on where the one before has ended; the last one makes again what it deletes.
 */

const account = '000000000000';
const fn = ['--function-name', 'by-aws'];
const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const code = `import { hello } from 'greetings';
export const handler = async (event) => ({ greeting: hello(event.name), role: process.env.AWS_ROLE_ARN });
`;
const layer = "exports.hello = (name) => 'hello ' + name;\n";

let kappa: InstalledKappa;
let aws: AwsCli;
let folder: string;
/** Of the call of the function. */
let requestId: string | undefined;
/** What was made, with the names that it has for kubectl. */
const made = new Set(['fn/by-aws', 'sa/by-aws-role', 'sa/foreign']);
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  aws = await kappa.aws();
  folder = mkdtempSync(join(tmpdir(), 'kappa-lambda-api-'));
  writeFileSync(join(folder, 'code.zip'), await zipWithEntry('index.mjs', code));
  writeFileSync(join(folder, 'layer.zip'), await zipWithEntry('nodejs/node_modules/greetings/index.js', layer));
}, 60_000);
afterAll(async () => {
  await kappa?.kubectl.run(['delete', ...made, '--ignore-not-found']);
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const zip = (name: string): string => `fileb://${join(folder, name)}`;

test('the key of the install says who it is; a wrong secret is refused', async () => {
  expect(await aws.json('sts', 'get-caller-identity')).toMatchObject({ Account: account });
  const refusal = await aws.with({ AWS_SECRET_ACCESS_KEY: 'wrong' }).refusal('list-functions');
  expect(refusal).toMatch(/^(InvalidSignature|SignatureDoesNotMatch)/);
});

/** Makes a role, a layer and a function of them, in the place of what may be there; answers the role's ARN and the layer's version. */
async function make(): Promise<{ readonly role: string; readonly layerVersion: number }> {
  await kappa.kubectl.ok(['delete', ...made, '--ignore-not-found']);
  await eventually('they are gone', async () => (await kappa.podsOf('by-aws')).length === 0, 60_000);
  const role = ['--role-name', 'by-aws-role', '--assume-role-policy-document', JSON.stringify(trust)];
  const { Role } = await aws.json<{ Role: { Arn: string } }>('iam', 'create-role', ...role);
  expect(await kappa.kubectl.ok(['get', 'serviceaccount', 'by-aws-role', '-o', 'name'])).toContain('by-aws-role');
  const named = ['--layer-name', 'greetings', '--zip-file', zip('layer.zip')];
  const layer = await aws.lambda<{ LayerVersionArn: string; Version: number }>('publish-layer-version', ...named);
  made.add(`layer/greetings-v${layer.Version}`);
  const runs = ['--runtime', 'nodejs24.x', '--handler', 'index.handler', '--role', Role.Arn];
  await aws.lambda('create-function', ...fn, ...runs, '--zip-file', zip('code.zip'), '--layers', layer.LayerVersionArn);
  await aws.lambda('wait', 'function-active-v2', ...fn);
  return { role: Role.Arn, layerVersion: layer.Version };
}

test('a role, a layer and a function are made by the aws command, and the function runs with both', async () => {
  const { role } = await make();
  expect(role).toBe(`arn:aws:iam::${account}:role/by-aws-role`);
  const client = await kappa.lambda();
  try {
    const answer = await client.send(new InvokeCommand({ FunctionName: 'by-aws', Payload: '{"name":"cluster"}' }));
    requestId = answer.$metadata.requestId;
    expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toEqual({
      greeting: 'hello cluster',
      role,
    });
  } finally {
    client.destroy();
  }
}, 120_000);

test('what it has written is found, whichever gateway is asked', async () => {
  const group = ['--log-group-name', '/aws/lambda/by-aws'];
  const reports = async (): Promise<number> => {
    const { events } = await aws.json<{ events: readonly { readonly message: string }[] }>(
      'logs',
      'filter-log-events',
      ...group,
    );
    return events.filter(({ message }) => message.startsWith(`REPORT RequestId: ${requestId}`)).length;
  };
  await eventually('the REPORT is there', async () => (await reports()) === 1, 60_000);
  for (let asks = 0; asks < 4; asks += 1) expect(await reports()).toBe(1);
}, 120_000);

test('its code can be had by the link that GetFunction gives', async () => {
  const { Code } = await aws.lambda<{ Code: { Location: string } }>('get-function', ...fn);
  const response = await fetch(Code.Location);
  expect([
    response.status,
    Buffer.from(await response.arrayBuffer())
      .subarray(0, 2)
      .toString(),
  ]).toEqual([200, 'PK']);
});

test('its URL is open to everybody when the policy says so, and not before', async () => {
  await aws.run(['lambda', 'delete-function-url-config', ...fn]);
  for (const id of ['url', 'invoke']) await aws.run(['lambda', 'remove-permission', ...fn, '--statement-id', id]);
  for (const { status } of await kappa.gateways())
    await eventually('it is closed', async () => {
      const { ok } = await fetch(`http://${status.podIP}:9000/fn/default/by-aws/`, { method: 'POST', body: '{}' });
      return !ok;
    });
  await aws.lambda('create-function-url-config', ...fn, '--auth-type', 'NONE');
  const url = `${kappa.endpoint}/fn/default/by-aws/`;
  expect((await fetch(url)).status).toBe(403);
  const everybody = [...fn, '--principal', '*'];
  const open = ['--action', 'lambda:InvokeFunctionUrl', '--function-url-auth-type', 'NONE', '--statement-id', 'url'];
  await aws.lambda('add-permission', ...everybody, ...open);
  const invoke = ['--action', 'lambda:InvokeFunction', '--invoked-via-function-url', '--statement-id', 'invoke'];
  const { code: status } = await aws.run(['lambda', 'add-permission', ...everybody, ...invoke]);
  expect(status).toBe(0);
  await kappa.kubectl.ok(['wait', 'fn/by-aws', '--for=condition=Ready', '--timeout=60s']);
  const answer = await fetch(url, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(200);
}, 60_000);

test('gateways write only the ServiceAccounts that are roles', async () => {
  await kappa.kubectl.ok(['delete', 'serviceaccount', 'foreign', '--ignore-not-found']);
  const gateway = ['--as', `system:serviceaccount:${release.namespace}:kappa-gateway`];
  const created = await kappa.kubectl.run(['create', 'serviceaccount', 'foreign', ...gateway]);
  expect([created.code, created.stderr]).toEqual([1, expect.stringContaining('kappa.dev/role')]);
  const mayI = async (...what: readonly string[]) =>
    (await kappa.kubectl.run(['auth', 'can-i', ...what, ...gateway])).stdout.trim();
  expect(await mayI('create', 'events.events.k8s.io', '-n', 'default')).toBe('yes'); // RecursiveLoopStopped
  expect(await mayI('list', 'secrets', '-n', 'default')).toBe('no');
  const deleted = await kappa.kubectl.run(['delete', 'serviceaccount', 'default', ...gateway]);
  expect([deleted.code, deleted.stderr]).toEqual([1, expect.stringContaining('kappa.dev/role')]);
});

test('what is deleted is gone for kubectl, too', async () => {
  const { layerVersion } = await make();
  await aws.lambda('delete-function', ...fn);
  expect((await kappa.kubectl.run(['get', 'fn', 'by-aws'])).stderr).toContain('NotFound');
  await aws.lambda('delete-layer-version', '--layer-name', 'greetings', '--version-number', String(layerVersion));
  await aws.json('iam', 'delete-role', '--role-name', 'by-aws-role');
  expect((await kappa.kubectl.run(['get', 'serviceaccount', 'by-aws-role'])).stderr).toContain('NotFound');
}, 120_000);
