import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { type HttpAnswer, type HttpRequest, send } from '../src/http-request.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/** A Function's spec as kubectl shows it. */
interface Spec {
  readonly http?: { readonly auth: string };
  readonly permissions?: readonly { readonly sid: string; readonly qualifier: string }[];
}

interface UrlConfig {
  readonly FunctionUrl: string;
  readonly FunctionArn: string;
  readonly AuthType: string;
}

const name = 'Url_Func';
const arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
const source = `export const handler = async (event, context) => ({
  version: context.functionVersion, arn: context.invokedFunctionArn,
  path: event.rawPath, domain: event.requestContext.domainName, id: event.requestContext.apiId,
});`;
const forbidden = {
  Message:
    'Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html',
};

let kappa: TestPlatform;
let aws: AwsCli;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-urls-'));
  writeFileSync(join(folder, 'code.zip'), await zipWithEntry('index.mjs', source));
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
  const code = ['--zip-file', `fileb://${join(folder, 'code.zip')}`, '--role', 'arn:aws:iam::000000000000:role/any'];
  await aws.lambda('create-function', ...named, '--runtime', 'nodejs24.x', '--handler', 'index.handler', ...code);
  await aws.lambda('wait', 'function-active-v2', ...named);
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const named = ['--function-name', name];
const call = (url: string, over: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
  send(kappa.endpoint, { path: new URL(url).pathname, ...over });
const statusOf = async (url: string, over: Partial<HttpRequest> = {}) => (await call(url, over)).status;

/** Both statements that an open URL needs. */
async function open(qualifier: readonly string[] = []): Promise<void> {
  const target = [...named, ...qualifier, '--principal', '*'];
  const url = ['--action', 'lambda:InvokeFunctionUrl', '--function-url-auth-type', 'NONE'];
  await aws.lambda('add-permission', ...target, '--statement-id', 'url', ...url);
  const invoke = ['--action', 'lambda:InvokeFunction', '--invoked-via-function-url'];
  await aws.lambda('add-permission', ...target, '--statement-id', 'invoke', ...invoke);
}

const specOf = async (): Promise<Spec> =>
  (await kappa.kubectl.json<{ items: { spec: Spec & { functionName?: string } }[] }>(['fn'])).items.find(
    ({ spec }) => spec.functionName === name,
  )?.spec ?? {};

describe('the life of a URL by the aws command', () => {
  let url: string;

  test('AuthType NONE opens nothing by itself: 403 in Lambda’s words', async () => {
    const made = await aws.lambda<UrlConfig>('create-function-url-config', ...named, '--auth-type', 'NONE');
    expect(made).toMatchObject({ FunctionArn: arn, AuthType: 'NONE', InvokeMode: 'BUFFERED' });
    url = made.FunctionUrl;
    expect(url.startsWith(`${kappa.endpoint}/fn/default/`)).toBe(true);
    const refused = await call(url);
    expect(refused.status).toBe(403);
    expect(refused.headers['x-amzn-errortype']).toBe('AccessDeniedException');
    expect(JSON.parse(refused.text)).toEqual(forbidden);
    expect(await specOf()).toMatchObject({ http: { auth: 'Policy' } });
  });

  test('one statement is not enough, two are, whatever their order', async () => {
    const first = ['--statement-id', 'url', '--action', 'lambda:InvokeFunctionUrl', '--function-url-auth-type', 'NONE'];
    const added = await aws.lambda<{ Statement: string }>('add-permission', ...named, '--principal', '*', ...first);
    expect(JSON.parse(added.Statement)).toEqual({
      Sid: 'url',
      Effect: 'Allow',
      Principal: '*',
      Action: 'lambda:InvokeFunctionUrl',
      Resource: arn,
      Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } },
    });
    expect(await statusOf(url)).toBe(403);
    const second = ['--statement-id', 'invoke', '--action', 'lambda:InvokeFunction', '--invoked-via-function-url'];
    await aws.lambda('add-permission', ...named, '--principal', '*', ...second);
    const answer = await call(`${url}a/b`);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ version: '$LATEST', arn, path: '/a/b' });
  });

  test('kubectl shows the statements, and get-policy the policy', async () => {
    expect((await specOf()).permissions?.map(({ sid }) => sid)).toEqual(['url', 'invoke']);
    const { Policy, RevisionId } = await aws.lambda<{ Policy: string; RevisionId: string }>('get-policy', ...named);
    expect(JSON.parse(Policy)).toMatchObject({ Version: '2012-10-17', Statement: [{ Sid: 'url' }, { Sid: 'invoke' }] });
    const again = ['add-permission', ...named, '--statement-id', 'url', '--principal', '*'];
    expect(await aws.refusal(...again, '--action', 'lambda:InvokeFunction')).toMatch(/^ResourceConflictException: /);
    const stale = ['--revision-id', '00000000-0000-0000-0000-000000000000'];
    expect(await aws.refusal('remove-permission', ...named, '--statement-id', 'url', ...stale)).toMatch(
      /^PreconditionFailedException: /,
    );
    expect(RevisionId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('the URL answers by its host, too', async () => {
    const { id, domain } = JSON.parse((await call(url)).text);
    expect(domain).toBe(`${id}.lambda-url.us-east-1.fn.localhost`);
    for (const host of [domain, `${id}.lambda-url.us-east-1.on.aws`]) {
      const answer = await call(url, { host, path: '/by/host?x=1' });
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([200, { path: '/by/host', id }]);
    }
    expect(await statusOf(url, { host: `${'a'.repeat(32)}.lambda-url.us-east-1.on.aws` })).toBe(404);
  });

  test('a preflight is answered by the rules of the URL, before anybody is asked', async () => {
    await aws.lambda(
      ...['update-function-url-config', ...named, '--cors'],
      JSON.stringify({
        AllowOrigins: ['https://a.example'],
        AllowMethods: ['GET', 'POST'],
        AllowHeaders: ['x-a'],
        MaxAge: 60,
      }),
    );
    const preflight = (origin: string) =>
      call(url, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-a' },
      });
    const allowed = await preflight('https://a.example');
    expect([allowed.status, allowed.text]).toEqual([200, '']);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'x-a',
      'access-control-max-age': '60',
      vary: 'Origin',
    });
    const other = await preflight('https://b.example');
    expect([other.status, other.headers['access-control-allow-origin']]).toEqual([200, undefined]);
    const get = await call(url, { headers: { origin: 'https://a.example' } });
    expect([get.status, get.headers['access-control-allow-origin']]).toEqual([200, 'https://a.example']);
  });

  test('a removed statement closes it, and so does AWS_IAM; deleted it is gone', async () => {
    await aws.lambda('remove-permission', ...named, '--statement-id', 'invoke');
    const closed = await call(url, { headers: { origin: 'https://a.example' } });
    expect([closed.status, closed.headers['access-control-allow-origin']]).toEqual([403, 'https://a.example']);
    await aws.lambda('remove-permission', ...named, '--statement-id', 'url');
    expect(await aws.refusal('get-policy', ...named)).toBe(
      'ResourceNotFoundException: The resource you requested does not exist.',
    );
    await open();
    expect(await statusOf(url)).toBe(200);
    await aws.lambda('update-function-url-config', ...named, '--auth-type', 'AWS_IAM');
    expect(await statusOf(url)).toBe(403);
    await aws.lambda('delete-function-url-config', ...named);
    expect(await statusOf(url)).toBe(404);
    expect(await aws.refusal('get-function-url-config', ...named)).toBe(
      'ResourceNotFoundException: The resource you requested does not exist.',
    );
  });
});

test('an alias has a URL and a policy of its own', async () => {
  await aws.lambda('publish-version', ...named);
  await aws.lambda('create-alias', ...named, '--name', 'Live', '--function-version', '1');
  const live = ['--qualifier', 'Live'];
  const { FunctionUrl: url } = await aws.lambda<UrlConfig>(
    ...['create-function-url-config', ...named, ...live, '--auth-type', 'NONE'],
  );
  expect(url).toMatch(/:Live\/$/);
  expect(await statusOf(url)).toBe(403); // the function's own statements do not count
  await open(live);
  const answer = await call(url);
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([200, { version: '1', arn: `${arn}:Live` }]);
  const { id } = JSON.parse(answer.text);
  expect(await statusOf(url, { host: `${id}.lambda-url.us-east-1.on.aws`, path: '/' })).toBe(200);
  const { FunctionUrlConfigs } = await aws.lambda<{ FunctionUrlConfigs: UrlConfig[] }>(
    ...['list-function-url-configs', ...named],
  );
  expect(FunctionUrlConfigs.map(({ FunctionArn }) => FunctionArn)).toEqual([`${arn}:Live`]);
  await eventually('kubectl shows the URL', async () => {
    const { items } = await kappa.kubectl.json<{ items: { status?: { url?: string } }[] }>(['aliases']);
    return items[0]?.status?.url === url;
  });
});

test('what a manifest opens is open, is shown, and closes with the manifest', async () => {
  const manifest = (auth: string) => nodeFunction('open', 'export const handler = () => 1;', { http: { auth } });
  await kappa.applyReady(manifest('None'));
  const url = `${kappa.endpoint}/fn/default/open/`;
  expect(await statusOf(url)).toBe(200);
  const fn = ['--function-name', 'open'];
  const { Policy } = await aws.lambda<{ Policy: string }>('get-policy', ...fn);
  expect(JSON.parse(Policy).Statement).toMatchObject([
    { Sid: 'kappa-http-auth-none-url', Action: 'lambda:InvokeFunctionUrl' },
    { Sid: 'kappa-http-auth-none-invoke', Action: 'lambda:InvokeFunction' },
  ]);
  expect(await aws.lambda('get-function-url-config', ...fn)).toMatchObject({ FunctionUrl: url, AuthType: 'NONE' });
  await kappa.applyReady(manifest('Policy'));
  await eventually('the URL is closed', async () => (await statusOf(url)) === 403);
  expect(await aws.refusal('get-policy', ...fn)).toMatch(/^ResourceNotFoundException/);
});

test('what kubectl grants counts, and the API shows it; what the API adds stays when the manifest comes again', async () => {
  const statement = (sid: string, action: string, more: object) => ({ sid, principal: '*', action, ...more });
  const manifest = nodeFunction('granted', 'export const handler = () => 1;', {
    http: { auth: 'Policy' },
    permissions: [
      statement('url', 'lambda:InvokeFunctionUrl', { functionUrlAuthType: 'None' }),
      statement('invoke', 'lambda:InvokeFunction', { invokedViaFunctionUrl: true }),
    ],
  });
  const kubectl = ['apply', '--server-side', '-f', '-'];
  await kappa.kubectl.ok(kubectl, JSON.stringify(manifest));
  const url = `${kappa.endpoint}/fn/default/granted/`;
  await eventually('the URL is open', async () => (await statusOf(url)) === 200);
  const fn = ['--function-name', 'granted'];
  const sids = async () =>
    JSON.parse((await aws.lambda<{ Policy: string }>('get-policy', ...fn)).Policy).Statement.map(
      ({ Sid }: { Sid: string }) => Sid,
    );
  expect(await sids()).toEqual(['url', 'invoke']);
  const third = ['--statement-id', 'third', '--principal', 's3.amazonaws.com', '--action', 'lambda:InvokeFunction'];
  await aws.lambda('add-permission', ...fn, ...third);
  await kappa.kubectl.ok(kubectl, JSON.stringify(manifest));
  expect((await sids()).toSorted()).toEqual(['invoke', 'third', 'url']);
});
