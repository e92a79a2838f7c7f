import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetFunctionCommand, InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { assuming, type Issued, lambdaTrust, trust, variablesOf } from '../src/issued-credentials.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/*
 * Where callers sign: access keys, roles and credentials that end, by the `aws` command and the SDK. Each test goes on where the one before has
 * ended.
 */

const account = '111111111111';
const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const code = "export const handler = async (event) => ({ greeting: 'hello ' + event.name });";

let kappa: TestPlatform;
let aws: AwsCli;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-callers-'));
  writeFileSync(join(folder, 'code.zip'), await zipWithEntry('index.mjs', code));
  writeFileSync(join(folder, 'assuming.zip'), await zipWithEntry('index.mjs', assuming));
  kappa = await startTestPlatform({ examples: false, environment: { KAPPA_AUTH: 'sigv4' } });
  const labels = { 'kappa.dev/account-id': account };
  await kappa.kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', labels } });
  aws = (await provideAwsCli(kappa.endpoint)).with(await makeKey('team-key', { accounts: account }));
  await eventually('the key is known', async () => (await aws.run(['sts', 'get-caller-identity'])).code === 0);
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Makes an access key; answers the variables that have it. */
async function makeKey(name: string, fields: Readonly<Record<string, string>>) {
  const accessKeyId = `AK${name.toUpperCase().replaceAll('-', '')}`;
  const secretAccessKey = `${name}-0123456789/abcdef+`;
  await kappa.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'kappa-system', labels: { 'kappa.dev/access-key': 'true' } },
    stringData: { accessKeyId, secretAccessKey, ...fields },
  });
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

const whoIs = (cli: AwsCli) => cli.json<{ Arn: string; Account: string; UserId: string }>('sts', 'get-caller-identity');

test('aws sts get-caller-identity', async () => {
  expect(await whoIs(aws)).toEqual({
    Arn: `arn:aws:iam::${account}:user/team-key`,
    Account: account,
    UserId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/),
  });
  const wrong = aws.with({ AWS_SECRET_ACCESS_KEY: 'wrong' });
  expect(await wrong.refusalOf('sts', 'get-caller-identity')).toMatch(/^SignatureDoesNotMatch: /);
  expect(await wrong.refusal('list-functions')).toMatch(/^InvalidSignatureException: /);
});

test('aws iam: a role’s life', async () => {
  const named = ['--role-name', 'My_Role'];
  const made = await aws.json<{ Role: object }>(
    'iam',
    'create-role',
    ...[...named, '--assume-role-policy-document', lambdaTrust, '--tags', 'Key=team,Value=a'],
  );
  const role = {
    RoleName: 'My_Role',
    Path: '/',
    Arn: roleArn('My_Role'),
    RoleId: expect.stringMatching(/^AROA/),
    AssumeRolePolicyDocument: JSON.parse(lambdaTrust),
    Tags: [{ Key: 'team', Value: 'a' }],
  };
  expect(made.Role).toMatchObject(role);
  expect((await aws.json<{ Role: object }>('iam', 'get-role', ...named)).Role).toMatchObject({
    ...role,
    MaxSessionDuration: 3600,
  });
  expect(await kappa.kubectl.json(['serviceaccount', 'my-role.nd', '-n', 'team'])).toMatchObject({
    automountServiceAccountToken: false,
    metadata: { labels: { 'kappa.dev/role': 'true' } },
  });
  await aws.json('iam', 'wait', 'role-exists', ...named);
  const inline = ['--policy-name', 'p'];
  await aws.json('iam', 'put-role-policy', ...named, ...inline, '--policy-document', lambdaTrust);
  expect(await aws.json('iam', 'get-role-policy', ...named, ...inline)).toMatchObject({
    PolicyDocument: JSON.parse(lambdaTrust),
  });
  const attached = ['--policy-arn', 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'];
  await aws.json('iam', 'attach-role-policy', ...named, ...attached);
  expect(await aws.json('iam', 'list-attached-role-policies', ...named)).toEqual({
    AttachedPolicies: [{ PolicyName: 'AWSLambdaBasicExecutionRole', PolicyArn: attached[1] }],
  });
  expect(await aws.json('iam', 'list-role-policies', ...named)).toEqual({ PolicyNames: ['p'] });
  expect(await aws.json('iam', 'list-instance-profiles-for-role', ...named)).toEqual({ InstanceProfiles: [] });
  await aws.json('iam', 'tag-role', ...named, '--tags', 'Key=stage,Value=test');
  await aws.json('iam', 'update-assume-role-policy', ...named, '--policy-document', lambdaTrust);
  await aws.json('iam', 'update-role', ...named, '--max-session-duration', '7200');
  const described = ['--description', 'of the tests'];
  expect(await aws.json('iam', 'update-role-description', ...named, ...described)).toMatchObject({
    Role: { RoleName: 'My_Role', Description: 'of the tests', MaxSessionDuration: 7200 },
  });
  expect(await aws.refusalOf('iam', 'delete-role', ...named)).toMatch(/^DeleteConflict: /);
  await aws.json('iam', 'detach-role-policy', ...named, ...attached);
  await aws.json('iam', 'delete-role-policy', ...named, ...inline);
  await aws.json('iam', 'delete-role', ...named);
  expect(await aws.refusalOf('iam', 'get-role', ...named)).toBe(
    'NoSuchEntity: The role with name My_Role cannot be found.',
  );
});

const creation = () => [
  ...['--function-name', 'hello', '--runtime', 'nodejs24.x', '--handler', 'index.handler'],
  ...['--zip-file', `fileb://${join(folder, 'code.zip')}`],
];

test('a function’s role must be there', async () => {
  const refusal = await aws.refusal('create-function', ...creation(), '--role', roleArn('fn'));
  expect(refusal).toBe(
    'InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.',
  );
  const elsewhere = 'arn:aws:iam::222222222222:role/fn';
  expect(await aws.refusal('create-function', ...creation(), '--role', elsewhere)).toBe(
    'AccessDeniedException: Cross-account pass role is not allowed.',
  );
  await aws.json('iam', 'create-role', '--role-name', 'fn', '--assume-role-policy-document', lambdaTrust);
  await aws.lambda('create-function', ...creation(), '--role', roleArn('fn'));
  await aws.lambda('wait', 'function-active-v2', '--function-name', 'hello');
});

async function greeting(cli: AwsCli, name = 'hello'): Promise<object> {
  const file = join(folder, 'out.json');
  await cli.lambda('invoke', '--function-name', name, '--payload', '{"name":"you"}', file);
  return JSON.parse(readFileSync(file, 'utf8'));
}

test('a function’s code is its role', async () => {
  const named = ['--function-name', 'Assuming', '--runtime', 'nodejs24.x', '--handler', 'index.handler'];
  const zip = ['--zip-file', `fileb://${join(folder, 'assuming.zip')}`];
  await aws.lambda('create-function', ...named, ...zip, '--role', roleArn('fn'));
  await aws.lambda('wait', 'function-active-v2', '--function-name', 'Assuming');
  const { Code, ...Credentials } = (await greeting(aws, 'Assuming')) as Issued['Credentials'] & { Code?: string };
  expect(Code).toBeUndefined();
  const fn = aws.with(variablesOf({ Credentials }));
  expect(await whoIs(fn)).toMatchObject({ Arn: `arn:aws:sts::${account}:assumed-role/fn/Assuming` });
  expect(await greeting(fn)).toEqual({ greeting: 'hello you' });
});

test('what the ServiceAccount of a manifest is, Lambda’s API shows as a role', async () => {
  const files = [{ path: 'index.mjs', content: assuming }];
  const spec = { runtime: 'nodejs24.x', handler: 'index.handler', code: { inline: { files } } };
  const metadata = { name: 'by-manifest', namespace: 'team' };
  const fn = { apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', metadata };
  await kappa.kubectl.apply({ ...fn, spec: { ...spec, serviceAccountName: 'fn' } });
  await kappa.kubectl.ok(['wait', 'fn/by-manifest', '-n', 'team', '--for=condition=Ready', '--timeout=30s']);
  const name = ['--function-name', 'by-manifest'];
  await eventually('the gateway knows it', async () => (await aws.run(['lambda', 'get-function', ...name])).code === 0);
  const shown = await aws.lambda('get-function-configuration', ...name);
  expect(shown).toMatchObject({ Role: roleArn('fn') });
  const { Code: _none, ...Credentials } = (await greeting(aws, 'by-manifest')) as Issued['Credentials'] & {
    Code?: string;
  };
  expect(await whoIs(aws.with(variablesOf({ Credentials })))).toMatchObject({
    Arn: `arn:aws:sts::${account}:assumed-role/fn/by-manifest`,
  });
  await aws.json('iam', 'create-role', '--role-name', 'fn2', '--assume-role-policy-document', lambdaTrust);
  const changed = await aws.lambda('update-function-configuration', ...name, '--role', roleArn('fn2'));
  expect(changed).toMatchObject({ Role: roleArn('fn2') });
});

describe('credentials that end', () => {
  test('aws sts get-session-token, then aws lambda with it', async () => {
    const issued = await aws.json<Issued>('sts', 'get-session-token', '--duration-seconds', '900');
    expect(Date.parse(issued.Credentials.Expiration) - Date.now()).toBeLessThanOrEqual(900_000);
    const session = aws.with(variablesOf(issued));
    expect(await whoIs(session)).toMatchObject({ Arn: `arn:aws:iam::${account}:user/team-key` });
    expect(await greeting(session)).toEqual({ greeting: 'hello you' });
    const forged = aws.with({ ...variablesOf(issued), AWS_SESSION_TOKEN: 'AAAA' });
    expect(await forged.refusal('list-functions')).toMatch(/^UnrecognizedClientException: /);
    expect(await forged.refusalOf('sts', 'get-caller-identity')).toMatch(/^InvalidClientTokenId: /);
  });

  test('aws sts assume-role, then aws lambda with it, by every gateway life', async () => {
    const document = trust({ AWS: `arn:aws:iam::${account}:root` });
    await aws.json('iam', 'create-role', '--role-name', 'dev', '--assume-role-policy-document', document);
    const asked = ['--role-arn', roleArn('dev'), '--role-session-name', 's1'];
    const issued = await aws.json<Issued>('sts', 'assume-role', ...asked);
    const session = aws.with(variablesOf(issued));
    expect(await whoIs(session)).toMatchObject({ Arn: `arn:aws:sts::${account}:assumed-role/dev/s1` });
    expect(await greeting(session)).toEqual({ greeting: 'hello you' });
    const elsewhere = await session.refusal('get-function', '--function-name', '000000000000:function:hello');
    expect(elsewhere).toMatch(/^AccessDeniedException: User: arn:aws:sts::.*assumed-role\/dev\/s1 is not authorized/);
    await kappa.kill('gateway', 'SIGTERM');
    await kappa.start('gateway');
    expect(await greeting(session)).toEqual({ greeting: 'hello you' });
    const refused = ['--role-arn', roleArn('fn'), '--role-session-name', 's1'];
    expect(await aws.refusalOf('sts', 'assume-role', ...refused)).toMatch(/^AccessDenied: User: .* sts:AssumeRole/);
  });

  test('a ServiceAccount’s token is enough: the aws command gets its own credentials with it', async () => {
    await kappa.kubectl.ok(['create', 'serviceaccount', 'deployer', '-n', 'team']);
    const asked = ['create', 'token', 'deployer', '-n', 'team', '--audience'];
    const file = join(folder, 'token');
    writeFileSync(file, (await kappa.kubectl.ok([...asked, 'sts.kappa.dev'])).trim());
    const variables = { AWS_ROLE_ARN: roleArn('deployer'), AWS_WEB_IDENTITY_TOKEN_FILE: file };
    const home = { HOME: folder, AWS_ROLE_SESSION_NAME: 'ci' }; // where the command keeps credentials, by the session's name
    const noKeys = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', ...home };
    const deployer = aws.with({ ...noKeys, ...variables });
    expect(await whoIs(deployer)).toMatchObject({ Arn: `arn:aws:sts::${account}:assumed-role/deployer/ci` });
    expect(await greeting(deployer)).toEqual({ greeting: 'hello you' });
    writeFileSync(file, (await kappa.kubectl.ok([...asked, 'others'])).trim());
    const stranger = deployer.with({ AWS_ROLE_SESSION_NAME: 'other' });
    expect(await stranger.refusal('list-functions')).toMatch(/InvalidIdentityToken/);
  });

  test('a deleted ServiceAccount’s sessions end', async () => {
    const asked = ['--role-arn', roleArn('fading'), '--role-session-name', 's1'];
    await aws.json(
      'iam',
      'create-role',
      ...['--role-name', 'fading', '--assume-role-policy-document', trust({ AWS: '*' })],
    );
    const session = aws.with(variablesOf(await aws.json<Issued>('sts', 'assume-role', ...asked)));
    await aws.json('iam', 'delete-role', '--role-name', 'fading');
    expect(await session.refusal('list-functions')).toMatch(/^AccessDeniedException: /);
  });
});

test('a key with the rights of somebody in the cluster', async () => {
  const key = await makeKey('jane-key', { accounts: account, user: 'jane', groups: 'team-a' });
  const jane = aws.with(key);
  await eventually('the key is known', async () => (await jane.run(['sts', 'get-caller-identity'])).code === 0);
  expect(await greeting(jane)).toEqual({ greeting: 'hello you' }); // the local cluster lets everybody do everything
});

describe('the SDK for JavaScript', () => {
  const clientOf = async (more: object = {}) => {
    const { Credentials } = await aws.json<Issued>('sts', 'get-session-token');
    const credentials = {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    };
    return new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials, ...more });
  };

  test('with session credentials, and a clock that is an hour late', async () => {
    const client = await clientOf({ systemClockOffset: -3_600_000 });
    try {
      const { Functions, $metadata } = await client.send(new ListFunctionsCommand({}));
      expect($metadata.attempts).toBe(2); // by the Date of the first answer it knows the time
      expect(Functions?.map(({ FunctionName }) => FunctionName)).toContain('hello');
      const invoke = new InvokeCommand({ FunctionName: 'hello', Payload: '{"name":"SDK"}' });
      const answer = await client.send(invoke);
      expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toEqual({ greeting: 'hello SDK' });
      expect(answer.$metadata.attempts).toBe(1);
      const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: 'hello' }));
      expect(Configuration?.Role).toBe(roleArn('fn'));
    } finally {
      client.destroy();
    }
  });
});
