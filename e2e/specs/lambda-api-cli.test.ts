import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/*
 * The life of a function by the `aws` command alone, in the order in which a deploy script goes. Each test goes on where the one before
 * has ended.
 */

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:My_Func';
const role = 'arn:aws:iam::000000000000:role/any';
const source = (edition: string) =>
  `export const handler = (event, context) => ({ edition: '${edition}', greeting: process.env.GREETING, version: context.functionVersion, arn: context.invokedFunctionArn, event });`;

/** Some members of answers. */
interface Configuration {
  readonly Version: string;
  readonly RevisionId: string;
  readonly CodeSha256: string;
  readonly CodeSize: number;
}

let kappa: TestPlatform;
let aws: AwsCli;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-aws-'));
  for (const edition of ['first', 'second'])
    writeFileSync(join(folder, `${edition}.zip`), await zipWithEntry('index.mjs', source(edition)));
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const zip = (edition: string) => ['--zip-file', `fileb://${join(folder, `${edition}.zip`)}`];
const named = ['--function-name', 'My_Func'];
const creation = [...named, '--runtime', 'nodejs24.x', '--handler', 'index.handler', '--role', role];

async function invoke(name: string, ...more: string[]): Promise<{ payload: unknown; version: string }> {
  const file = join(folder, 'out.json');
  const answer = await aws.lambda<{ ExecutedVersion: string }>(
    'invoke',
    ...['--function-name', name, '--payload', '{"a":1}', ...more, file],
  );
  return { payload: JSON.parse(readFileSync(file, 'utf8')), version: answer.ExecutedVersion };
}

test('create-function, wait function-active, invoke', async () => {
  const environment = ['--environment', 'Variables={GREETING=hello}', '--tags', 'team=a,stage=test'];
  const settings = ['--memory-size', '256', '--timeout', '7', '--description', 'greets'];
  const made = await aws.lambda('create-function', ...creation, ...zip('first'), ...environment, ...settings);
  expect(made).toMatchObject({
    FunctionName: 'My_Func',
    FunctionArn: arn,
    Role: role,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    MemorySize: 256,
    Timeout: 7,
    Description: 'greets',
    Version: '$LATEST',
    State: 'Pending',
    StateReasonCode: 'Creating',
    PackageType: 'Zip',
    Architectures: ['x86_64'],
    Environment: { Variables: { GREETING: 'hello' } },
    LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
  });
  await aws.lambda('wait', 'function-active-v2', ...named);
  expect(await invoke('My_Func')).toEqual({
    version: '$LATEST',
    payload: { edition: 'first', greeting: 'hello', version: '$LATEST', arn, event: { a: 1 } },
  });
});

test('get-function: exact digest and size, a link to the zip, tags', async () => {
  const { Configuration, Code, Tags } = await aws.lambda<{
    Configuration: Configuration;
    Code: { Location: string };
    Tags: object;
  }>('get-function', ...named);
  const bytes = readFileSync(join(folder, 'first.zip'));
  const { createHash } = await import('node:crypto');
  expect(Configuration).toMatchObject({
    CodeSize: bytes.length,
    CodeSha256: createHash('sha256').update(bytes).digest('base64'),
    State: 'Active',
    LastUpdateStatus: 'Successful',
  });
  expect(Tags).toEqual({ team: 'a', stage: 'test' });
  const answer = await fetch(Code.Location);
  expect(answer.headers.get('content-type')).toMatch('application/zip');
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
  expect((await fetch(Code.Location.replace(/signature=./, 'signature=g'))).status).toBe(403);
  expect((await fetch(Code.Location.replace(/expires=\d/, 'expires=9'))).status).toBe(403);
});

test('a function is named plainly, by part of its ARN, by its ARN and with a qualifier', async () => {
  for (const name of ['000000000000:function:My_Func', arn, 'My_Func:$LATEST'])
    expect(await aws.lambda('get-function-configuration', '--function-name', name)).toMatchObject({
      FunctionName: 'My_Func',
      FunctionArn: name.endsWith('$LATEST') ? `${arn}:$LATEST` : arn,
    });
});

test('publish-version gives a number once, and none when nothing has changed', async () => {
  expect(await aws.lambda('publish-version', ...named, '--description', 'one')).toMatchObject({
    Version: '1',
    FunctionArn: `${arn}:1`,
    Description: 'one',
    State: 'Active',
  });
  expect(await aws.lambda('publish-version', ...named, '--description', 'again')).toMatchObject({
    Version: '1',
    Description: 'one',
  });
  await aws.lambda('wait', 'published-version-active', ...named, '--qualifier', '1');
});

test('update-function-code, wait function-updated, and the next version', async () => {
  const dry = await aws.lambda<Configuration>('update-function-code', ...named, ...zip('second'), '--dry-run');
  const updated = await aws.lambda<Configuration>('update-function-code', ...named, ...zip('second'));
  expect(updated).toMatchObject({ LastUpdateStatus: 'InProgress', CodeSha256: dry.CodeSha256 });
  await aws.lambda('wait', 'function-updated-v2', ...named);
  expect((await invoke('My_Func')).payload).toMatchObject({ edition: 'second', version: '$LATEST' });
  expect((await invoke('My_Func', '--qualifier', '1')).payload).toMatchObject({ edition: 'first', version: '1' });
  expect(await aws.lambda('publish-version', ...named)).toMatchObject({ Version: '2' });
});

test('update-function-configuration changes what it mentions', async () => {
  const { RevisionId } = await aws.lambda<Configuration>('get-function-configuration', ...named);
  const change = ['update-function-configuration', ...named, '--environment', 'Variables={GREETING=hi}'];
  await aws.lambda(...change, '--revision-id', RevisionId);
  await aws.lambda('wait', 'function-updated', ...named);
  expect((await invoke('My_Func')).payload).toMatchObject({ edition: 'second', greeting: 'hi' });
  expect(await aws.lambda('get-function-configuration', ...named)).toMatchObject({ MemorySize: 256, Timeout: 7 });
  expect(await aws.refusal(...change, '--revision-id', RevisionId)).toMatch(/^PreconditionFailedException: /);
});

test('an alias shares its calls between two versions', async () => {
  const alias = [...named, '--name', 'Live'];
  const weights = ['--routing-config', 'AdditionalVersionWeights={2=0.5}'];
  const made = await aws.lambda('create-alias', ...alias, '--function-version', '1', ...weights);
  expect(made).toMatchObject({
    AliasArn: `${arn}:Live`,
    FunctionVersion: '1',
    RoutingConfig: { AdditionalVersionWeights: { 2: 0.5 } },
  });
  const seen = new Set<string>();
  for (let call = 0; call < 40; call += 1) {
    const answer = await fetch(`${kappa.endpoint}/2015-03-31/functions/My_Func%3ALive/invocations`, { method: 'POST' });
    seen.add(answer.headers.get('x-amz-executed-version') ?? '');
  }
  expect([...seen].sort()).toEqual(['1', '2']);
  await aws.lambda('update-alias', ...alias, '--routing-config', '{}', '--function-version', '2');
  expect(await aws.lambda('get-alias', ...alias)).not.toHaveProperty('RoutingConfig');
  expect(await invoke('My_Func', '--qualifier', 'Live')).toMatchObject({
    version: '2',
    payload: { edition: 'second', arn: `${arn}:Live` },
  });
  expect(await aws.lambda('get-function-configuration', ...named, '--qualifier', 'Live')).toMatchObject({
    FunctionArn: `${arn}:Live`,
    Version: '2',
  });
});

test('lists: functions, versions, aliases', async () => {
  const names = await aws.lambda<{ Functions: { FunctionArn: string }[] }>('list-functions');
  expect(names.Functions.map(({ FunctionArn }) => FunctionArn)).toEqual([arn]);
  const all = await aws.lambda<{ Functions: { FunctionArn: string }[] }>(
    'list-functions',
    ...['--function-version', 'ALL'],
  );
  const qualified = ['$LATEST', '1', '2'].map((version) => `${arn}:${version}`);
  expect(all.Functions.map(({ FunctionArn }) => FunctionArn)).toEqual(qualified);
  const page = ['list-versions-by-function', ...named, '--page-size', '1'];
  const versions = await aws.lambda<{ Versions: Configuration[] }>(...page);
  expect(versions.Versions.map(({ Version }) => Version)).toEqual(['$LATEST', '1', '2']);
  const aliases = await aws.lambda<{ Aliases: { Name: string }[] }>('list-aliases', ...named);
  expect(aliases.Aliases.map(({ Name }) => Name)).toEqual(['Live']);
});

test('a deleted version’s number is not given again', async () => {
  await aws.lambda('delete-alias', ...named, '--name', 'Live');
  await aws.lambda('delete-function', ...named, '--qualifier', '2');
  expect(await aws.refusal('get-function', ...named, '--qualifier', '2')).toMatch('ResourceNotFoundException');
  expect(await aws.lambda('publish-version', ...named)).toMatchObject({ Version: '3' });
});

test('delete-function, and the name is free for a function that begins anew', async () => {
  await aws.lambda('delete-function', ...named);
  expect(await aws.refusal('get-function', ...named)).toBe(`ResourceNotFoundException: Function not found: ${arn}`);
  expect(await aws.refusal('invoke', ...named, join(folder, 'out.json'))).toBe(
    `ResourceNotFoundException: Function not found: ${arn}:$LATEST`,
  );
  const made = await aws.lambda('create-function', ...creation, ...zip('first'), '--publish');
  expect(made).toMatchObject({ Version: '1', FunctionArn: `${arn}:1` });
  await aws.lambda('wait', 'function-active-v2', ...named);
  expect(await invoke('My_Func:1')).toMatchObject({ version: '1', payload: { edition: 'first' } });
  await aws.lambda('delete-function', ...named);
});
