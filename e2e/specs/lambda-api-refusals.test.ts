import { type CreateFunctionCommandInput, Lambda, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

const FunctionName = 'Refusing';
const arn = `arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}`;
const usual: Omit<CreateFunctionCommandInput, 'Code' | 'FunctionName'> = {
  Runtime: 'nodejs24.x',
  Handler: 'index.handler',
  Role: 'arn:aws:iam::000000000000:role/any',
};
const missing = 'arn:aws:lambda:us-east-1:000000000000:function:missing';
const variables =
  'Lambda was unable to configure your environment variables because the environment variables you have provided';

let kappa: TestPlatform;
let lambda: Lambda;
let zip: Buffer;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
  lambda = new Lambda({ endpoint: kappa.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  zip = await zipWithEntry('index.mjs', 'export const handler = () => 1;');
  await lambda.createFunction({ FunctionName, ...usual, Code: { ZipFile: zip }, Publish: true });
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30, minDelay: 1 }, { FunctionName });
  await lambda.createAlias({ FunctionName, Name: 'Live', FunctionVersion: '1' });
}, 180_000);
afterAll(async () => {
  lambda?.destroy();
  await kappa?.stop();
}, 60_000);

const creating = (over: Partial<CreateFunctionCommandInput>) =>
  lambda.createFunction({ FunctionName: 'other', ...usual, Code: { ZipFile: zip }, ...over });
const configuring = (over: object) => lambda.updateFunctionConfiguration({ FunctionName, ...over });
const weighted = (weights: Record<string, number>) =>
  lambda.createAlias({
    ...{ FunctionName, Name: 'w', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: weights } },
  });

const conflict = ['ResourceConflictException', 409] as const;
const parameter = ['InvalidParameterValueException', 400] as const;
const notFound = ['ResourceNotFoundException', 404] as const;
const validation = ['ValidationException', 400] as const;

test.each<
  [reason: string, call: () => Promise<unknown>, error: readonly [name: string, status: number], message: string]
>([
  ['a name that is taken', () => creating({ FunctionName }), conflict, `Function already exist: ${FunctionName}`],
  [
    'no zip',
    () => creating({ Code: { ZipFile: Buffer.from('no') } }),
    parameter,
    'Could not unzip uploaded file. Please check your file, then try to upload again.',
  ],
  ['no code', () => creating({ Code: {} }), parameter, 'Please provide a source for function code.'],
  [
    'no handler',
    () => creating({ Handler: undefined }),
    parameter,
    'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
  ],
  [
    'a runtime that is not here',
    () => creating({ Runtime: 'java11' }),
    parameter,
    'The runtime java11 is not supported by this install.',
  ],
  [
    'an image with a handler',
    () => creating({ PackageType: 'Image', Code: { ImageUri: 'registry.example/x:1' } }),
    parameter,
    'Runtime and Handler are not supported for functions created with container images.',
  ],
  [
    'an image as a zip',
    () => creating({ Code: { ImageUri: 'registry.example/x:1' } }),
    parameter,
    'Please do not provide ImageUri for a function whose package type is Zip.',
  ],
  [
    'another architecture',
    () => creating({ Architectures: ['arm64'] }),
    parameter,
    'This install runs functions on x86_64 only.',
  ],
  ['a layer', () => creating({ Layers: [`${arn.replace('function', 'layer')}:1`] }), parameter, 'Layer version '],
  [
    'a tenant',
    () => creating({ TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }),
    parameter,
    'Tenant isolation (TenancyConfig)',
  ],
  [
    'another region',
    () => lambda.getFunction({ FunctionName: arn.replace('us-east-1', 'eu-west-1') }),
    notFound,
    "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
  ],
  [
    'another account',
    () => lambda.getFunction({ FunctionName: arn.replace('000000000000', '999999999999') }),
    notFound,
    'No namespace of this install is the account of',
  ],
  [
    'no such function',
    () => lambda.getFunction({ FunctionName: 'missing' }),
    notFound,
    `Function not found: ${missing}`,
  ],
  [
    'two qualifiers',
    () => lambda.getFunction({ FunctionName: `${arn}:1`, Qualifier: '2' }),
    parameter,
    'The derived qualifier from the function name does not match the specified qualifier.',
  ],
  [
    'no such version',
    () => lambda.getFunction({ FunctionName, Qualifier: '9' }),
    notFound,
    `Function not found: ${arn}:9`,
  ],
  [
    'no such alias',
    () => lambda.getAlias({ FunctionName, Name: 'none' }),
    notFound,
    `Cannot find alias arn: ${arn}:none`,
  ],
  [
    '$LATEST alone',
    () => lambda.deleteFunction({ FunctionName, Qualifier: '$LATEST' }),
    parameter,
    '$LATEST version cannot be deleted without deleting the function.',
  ],
  [
    'a version that an alias means',
    () => lambda.deleteFunction({ FunctionName, Qualifier: '1' }),
    conflict,
    `Version 1 of ${arn} is used by the alias Live`,
  ],
  [
    'an alias that is there',
    () => lambda.createAlias({ FunctionName, Name: 'Live', FunctionVersion: '1' }),
    conflict,
    `Alias already exists: ${arn}:Live`,
  ],
  [
    'an alias of nothing',
    () => lambda.createAlias({ FunctionName, Name: 'x', FunctionVersion: '9' }),
    notFound,
    `Function not found: ${arn}:9`,
  ],
  [
    'an alias of digits',
    () => lambda.createAlias({ FunctionName, Name: '12', FunctionVersion: '1' }),
    validation,
    "1 validation error detected: Value '12' at 'name'",
  ],
  [
    'an alias that shares with itself',
    () => weighted({ 1: 0.5 }),
    parameter,
    'Invalid function version 1. Function version 1 is already included in routing configuration.',
  ],
  [
    'an alias that shares with two',
    () => weighted({ 2: 0.1, 3: 0.1 }),
    parameter,
    'Number of items in AdditionalVersionWeights cannot be greater than 1',
  ],
  ['a share that is no percent', () => weighted({ 2: 0.125 }), parameter, 'The weight 0.125 is not a whole percent'],
  [
    'a reserved variable',
    () => configuring({ Environment: { Variables: { AWS_REGION: 'x' } } }),
    parameter,
    `${variables} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION`,
  ],
  [
    'too large an environment',
    () => configuring({ Environment: { Variables: { BIG: 'x'.repeat(4096) } } }),
    parameter,
    `${variables} exceeded the 4KB limit. String measured: {"BIG":"xxx`,
  ],
  [
    'too long a time-out',
    () => configuring({ Timeout: 901 }),
    validation,
    "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
  ],
  [
    'too much memory',
    () => configuring({ MemorySize: 10_241 }),
    validation,
    "1 validation error detected: Value '10241' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 10240",
  ],
  [
    'more than the account has',
    () => lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 901 }),
    parameter,
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
  ],
  [
    'another code than is meant',
    () => lambda.publishVersion({ FunctionName, CodeSha256: 'abc' }),
    parameter,
    'CodeSHA256 (abc) is different from current CodeSHA256 in $LATEST (',
  ],
  [
    'an old revision',
    () => lambda.updateFunctionCode({ FunctionName, ZipFile: zip, RevisionId: 'old' }),
    ['PreconditionFailedException', 412],
    'The RevisionId provided does not match the latest RevisionId.',
  ],
  [
    'S3 where nobody may have code from there',
    () => lambda.updateFunctionCode({ FunctionName, S3Bucket: 'bucket', S3Key: 'k' }),
    ['AccessDeniedException', 403],
    'Your access has been denied by S3, please make sure your request credentials have permission to GetObject for bucket/k. ',
  ],
  [
    'tags of a version',
    () => lambda.listTags({ Resource: `${arn}:1` }),
    parameter,
    'Tags on function aliases and versions are not supported.',
  ],
  ['a page of nobody', () => lambda.listFunctions({ Marker: 'nonsense' }), parameter, 'The Marker is not valid.'],
  [
    'an operation that is not there yet',
    () => lambda.listCapacityProviders({}),
    ['NotImplementedException', 501],
    'ListCapacityProviders is not supported: ',
  ],
])('%s', async (_reason, call, [name, httpStatusCode], message) => {
  const error: unknown = await call().then(
    () => 'was not refused',
    (refused: unknown) => refused,
  );
  expect(error).toMatchObject({ name, $metadata: { httpStatusCode } });
  expect(String(Object(error).message).slice(0, message.length)).toBe(message);
});

test('a body above the limit of code is refused before it is read', async () => {
  const path = `${kappa.endpoint.slice('http://'.length)}`;
  const head = `POST /2015-03-31/functions HTTP/1.1\r\nHost: ${path}\r\nContent-Length: 69905068\r\nConnection: close\r\n\r\n`;
  const answer = await kappa.raw(head);
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toContain('Request must be smaller than 69905067 bytes for the CreateFunction operation');
});
