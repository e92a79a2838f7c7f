import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetFunctionCommand,
  InvokeCommand,
  type LambdaClient,
  ListCapacityProvidersCommand,
  PutFunctionConcurrencyCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionExists,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AwsCli } from '../src/aws-cli.ts';
import type { AwsSession } from '../src/aws-session.ts';
import { CaseAccount } from '../src/case-accounts.ts';
import { cliCaseClient } from '../src/cli-case-client.ts';
import type { SuiteRun } from '../src/foreign-suite.ts';
import { sendSigned } from '../src/http-request.ts';
import { readOutcomes, readScenarios } from '../src/lambda-cases.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';
import { play } from '../src/play-cases.ts';
import { sdkCaseClient } from '../src/sdk-case-client.ts';
import { boto3Suite, goSuite } from '../src/sdk-suites.ts';

/*
 * The Lambda API by four clients as they are, each with an account of its own. All of them play the cases of e2e/lambda-api-cases; waiters, pages,
 * retries and streams are each client's own matter. lambda-api.test.ts has more of the SDK for JavaScript, lambda-api-cli.test.ts of `aws`.
 */

const scenarios = readScenarios();
const operations = Object.keys(readOutcomes().operations);

let kappa: TestPlatform;
let javascript: CaseAccount;
let command: CaseAccount;
let python: CaseAccount;
let go: CaseAccount;
let pythonRun: Promise<SuiteRun> | undefined;
let goRun: Promise<SuiteRun> | undefined;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false, environment: { KAPPA_AUTH: 'sigv4' } });
  javascript = await CaseAccount.make(kappa, 'javascript', '111111111111');
  command = await CaseAccount.make(kappa, 'command', '222222222222');
  python = await CaseAccount.make(kappa, 'python', '333333333333');
  go = await CaseAccount.make(kappa, 'go', '444444444444');
  // beside the clients that Jest drives: what they wait for is seldom the same
  goRun = goSuite.run('usual', go);
  pythonRun = boto3Suite.run('usual', python);
}, 240_000);
afterAll(async () => {
  await Promise.all([goRun, pythonRun]);
  for (const account of [javascript, command, python, go]) account?.end();
  await kappa?.stop();
}, 320_000);

async function makeFunction(account: CaseAccount, name: string): Promise<void> {
  const client = account.sdk();
  const { role, zip } = account.variables;
  const usual = { Runtime: 'nodejs24.x', Handler: 'index.handler', Role: String(role) } as const;
  const Code = { ZipFile: Buffer.from(String(zip), 'base64') };
  await client.send(new CreateFunctionCommand({ FunctionName: name, ...usual, Code }));
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 30, minDelay: 1 }, { FunctionName: name });
  client.destroy();
}

const edition = '{"edition":true}';
const textOf = (payload: Uint8Array | undefined): string => Buffer.from(payload ?? []).toString();

describe('the SDK for JavaScript', () => {
  let once: LambdaClient;
  let retrying: LambdaClient;
  beforeAll(() => {
    once = javascript.sdk();
    retrying = javascript.sdk({ maxAttempts: 3 });
  });
  afterAll(() => {
    once?.destroy();
    retrying?.destroy();
  });

  test.each(scenarios)('$name', async ({ steps }) => {
    await play(steps, sdkCaseClient(once), javascript.variables);
  });

  test('it knows all operations but the newest', () => {
    const { knows } = sdkCaseClient(once);
    const unknown = ['DeleteDurableExecution', 'PauseDurableExecution', 'ResumeDurableExecution'];
    expect(operations.filter((operation) => !knows(operation))).toEqual(unknown);
  });

  test('a throttled call is sent again as often as asked, and succeeds when there is room', async () => {
    const FunctionName = 'throttled';
    await makeFunction(javascript, FunctionName);
    await waitUntilFunctionExists({ client: once, maxWaitTime: 30 }, { FunctionName });
    await once.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    const invoke = new InvokeCommand({ FunctionName, Payload: edition });
    await expect(retrying.send(invoke)).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      $metadata: { httpStatusCode: 429, attempts: 3 },
    });
    let sent = 0;
    retrying.middlewareStack.add(
      (next) => async (args) => {
        sent += 1;
        if (sent === 2) await once.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
        return next(args);
      },
      { step: 'deserialize' },
    );
    const answer = await retrying.send(invoke);
    expect([textOf(answer.Payload), answer.$metadata.attempts]).toEqual(['"first"', 2]);
  });

  test('the name in a path may be percent-encoded or not', async () => {
    await makeFunction(javascript, 'encoded');
    const arn = `${javascript.variables['fn']}:encoded`;
    for (const label of [arn, encodeURIComponent(arn), arn.replace(/:/, '%3a'), 'enc%6Fded']) {
      const path = `/2015-03-31/functions/${label}/configuration`;
      const { status, text } = await sendSigned(kappa.endpoint, javascript.key, { path });
      expect({ label, status }).toEqual({ label, status: 200 });
      expect(JSON.parse(text)).toMatchObject({ FunctionArn: arn });
    }
  });

  test('what cannot become better is sent once', async () => {
    await expect(retrying.send(new GetFunctionCommand({ FunctionName: 'missing' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404, attempts: 1 },
    });
    await expect(retrying.send(new ListCapacityProvidersCommand({}))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 501, attempts: 1 },
    });
  });
});

describe('the aws command', () => {
  let aws: AwsCli;
  let session: AwsSession;
  let client: ReturnType<typeof cliCaseClient>;
  beforeAll(async () => {
    aws = await command.aws();
    session = await aws.session();
    client = cliCaseClient(session);
  }, 60_000);
  afterAll(async () => {
    client?.end();
    await session?.end();
  });

  test.each(scenarios)('$name', async ({ steps }) => {
    await play(steps, client, command.variables);
  });

  test('it is of the version that the documentation says', async () => {
    const [, version] = /^aws-cli\/(\S+)/.exec((await aws.run(['--version'])).stdout) ?? [];
    const page = join(import.meta.dirname, '../../docs/lambda-api.md');
    expect(readFileSync(page, 'utf8')).toContain(`| \`aws\` command | ${version} |`);
  });

  test('a throttled call is sent again as often as asked', async () => {
    await makeFunction(command, 'throttled');
    const named = ['--function-name', 'throttled'];
    await aws.lambda('put-function-concurrency', ...named, '--reserved-concurrent-executions', '0');
    const { stderr } = await aws.with({ AWS_MAX_ATTEMPTS: '3' }).run(['lambda', 'invoke', ...named, '/dev/null']);
    expect(stderr).toContain('(TooManyRequestsException)');
    expect(stderr).toContain('(reached max retries: 2)');
  });

  test('wait function-exists, and pages of one entry', async () => {
    await aws.lambda('wait', 'function-exists', '--function-name', 'throttled');
    const { Functions } = await aws.lambda<{ Functions: object[] }>('list-functions', '--page-size', '1');
    expect(Functions).toContainEqual(expect.objectContaining({ FunctionName: 'throttled' }));
  });
});

describe.each([
  ['boto3', boto3Suite, () => pythonRun],
  ['the SDK for Go', goSuite, () => goRun],
])('%s', (_name, suite, started) => {
  let run: SuiteRun | undefined;
  beforeAll(async () => {
    run = await started();
  }, 320_000);

  test.each(suite.tests('usual'))('%s', (name) => {
    expect(run).toBeDefined();
    run?.expectPassed(name);
  });
});

describe('while the API server is away', () => {
  beforeAll(async () => {
    for (const account of [javascript, command, python, go]) {
      await makeFunction(account, 'steady');
      const client = account.sdk();
      const answer = await client.send(new InvokeCommand({ FunctionName: 'steady', Payload: edition }));
      expect(textOf(answer.Payload)).toBe('"first"');
      client.destroy();
    }
    await kappa.kill('api');
  }, 120_000);

  test('the SDK for JavaScript tries a change again, and calls go on', async () => {
    const client = javascript.sdk({ maxAttempts: 3 });
    const FunctionName = 'steady';
    const change = new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 });
    await expect(client.send(change)).rejects.toMatchObject({
      name: 'ServiceException',
      $metadata: { httpStatusCode: 500, attempts: 3 },
    });
    const answer = await client.send(new InvokeCommand({ FunctionName, Payload: edition }));
    expect([textOf(answer.Payload), answer.$metadata.attempts]).toEqual(['"first"', 1]);
    client.destroy();
  });

  test('so does the aws command', async () => {
    const aws = (await command.aws()).with({ AWS_MAX_ATTEMPTS: '3' });
    const named = ['--function-name', 'steady'];
    const change = ['lambda', 'put-function-concurrency', ...named, '--reserved-concurrent-executions', '1'];
    expect((await aws.run(change)).stderr).toMatch(/\(ServiceException\).*\(reached max retries: 2\)/);
    expect(await aws.lambda('invoke', ...named, '--payload', edition, '/dev/null')).toMatchObject({ StatusCode: 200 });
  });

  describe.each([
    ['boto3', boto3Suite, () => python],
    ['the SDK for Go', goSuite, () => go],
  ])('%s', (_name, suite, account) => {
    let run: SuiteRun;
    beforeAll(async () => {
      run = await suite.run('withoutApiServer', account());
    }, 320_000);

    test.each(suite.tests('withoutApiServer'))('%s', (name) => {
      run.expectPassed(name);
    });
  });
});
