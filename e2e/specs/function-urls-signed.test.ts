import { AddPermissionCommand, LambdaClient, RemovePermissionCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { type HttpAnswer, type HttpRequest, type Key, send, sendSigned } from '../src/http-request.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/** An install with access keys: one for everything, one of another account. */
const own: Key = { accessKeyId: 'AKOWN', secretAccessKey: 'own-secret-of-the-tests' };
const other: Key = { accessKeyId: 'AKOTHER', secretAccessKey: 'other-secret-of-the-tests' };
const otherAccount = '111111111111';
const FunctionName = 'signed';
const path = '/fn/default/signed/';
const invokePath = `/2015-03-31/functions/${encodeURIComponent('000000000000:function:signed')}/invocations`;
const source =
  'export const handler = async (event) => ({ iam: event.requestContext?.authorizer?.iam ?? null, id: event.requestContext?.apiId });';

let kappa: TestPlatform;
let client: LambdaClient;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false, environment: { KAPPA_AUTH: 'sigv4' } });
  await kappa.kubectl.apply(secretOf('own', own, ''));
  await kappa.kubectl.apply(secretOf('other', other, otherAccount));
  await kappa.kubectl.apply(nodeFunction(FunctionName, source, { http: { auth: 'AwsIam' } }));
  await kappa.kubectl.ok(['wait', `fn/${FunctionName}`, '--for=condition=Ready', '--timeout=30s']);
  client = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials: own, maxAttempts: 1 });
  await eventually('an own caller is let in', async () => (await signed(own)).status === 200);
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await kappa?.stop();
}, 60_000);

function secretOf(name: string, { accessKeyId, secretAccessKey }: Key, accounts: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'kappa-system', labels: { 'kappa.dev/access-key': 'true' } },
    stringData: { accessKeyId, secretAccessKey, ...(accounts !== '' && { accounts }) },
  };
}

const signed = (key: Key, over: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
  sendSigned(kappa.endpoint, key, { path, ...over });
const invoke = (key: Key): Promise<HttpAnswer> => signed(key, { method: 'POST', path: invokePath, body: '{}' });
const allow = (StatementId: string, more: object) =>
  client.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId,
      Principal: otherAccount,
      Action: 'lambda:InvokeFunction',
      ...more,
    }),
  );
const disallow = (StatementId: string) => client.send(new RemovePermissionCommand({ FunctionName, StatementId }));

test('who does not sign is refused in Lambda’s words', async () => {
  const refused = await send(kappa.endpoint, { path });
  expect([refused.status, refused.headers['x-amzn-errortype']]).toEqual([403, 'AccessDeniedException']);
  expect(JSON.parse(refused.text).Message).toMatch(/^Forbidden\. For troubleshooting Function URL authorization/);
});

test('a caller of the own account is let in, and the function sees who it is', async () => {
  const answer = await signed(own, { method: 'POST', path: `${path}a?b=c`, body: 'x' });
  expect(answer.status).toBe(200);
  const { iam, id } = JSON.parse(answer.text);
  expect(iam).toMatchObject({ accessKey: 'AKOWN', accountId: '000000000000' });
  expect((await signed(own, { path: '/', host: `${id}.lambda-url.us-east-1.on.aws` })).status).toBe(200);
});

test('a caller of another account needs both statements', async () => {
  expect(JSON.parse((await signed(other)).text).Message).toMatch(/^Forbidden\. /);
  await allow('url', { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'AWS_IAM' });
  expect((await signed(other)).status).toBe(403);
  await allow('invoke', { InvokedViaFunctionUrl: true });
  const answer = await signed(other);
  expect([answer.status, JSON.parse(answer.text).iam]).toMatchObject([200, { accountId: otherAccount }]);
  expect((await invoke(other)).status).toBe(403); // the URL, and nothing else
  await disallow('url');
  expect((await signed(other)).status).toBe(403);
});

test('Invoke from another account needs a statement of its own', async () => {
  const refused = await invoke(other);
  expect([refused.status, refused.headers['x-amzn-errortype']]).toEqual([403, 'AccessDeniedException']);
  await allow('direct', {});
  expect((await invoke(other)).status).toBe(200);
  await disallow('direct');
  expect((await invoke(other)).status).toBe(403);
  expect((await invoke(own)).status).toBe(200);
});
