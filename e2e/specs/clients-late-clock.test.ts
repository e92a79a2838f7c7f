import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CaseAccount } from '../src/case-accounts.ts';
import type { SuiteRun } from '../src/foreign-suite.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';
import { boto3Suite, goSuite } from '../src/sdk-suites.ts';

/*
 * The platform's clock is 20 minutes late: to it, all callers sign in the future. Its refusal has the time, so that a client that reads it can
 * correct itself; the SDKs for JavaScript and Go do, those for Python do not.
 */

const lateClock = pathToFileURL(join(import.meta.dirname, '../src/late-clock.ts'));

let kappa: TestPlatform;
let account: CaseAccount;
beforeAll(async () => {
  const environment = { KAPPA_AUTH: 'sigv4', NODE_OPTIONS: `--import=${lateClock}` };
  kappa = await startTestPlatform({ examples: false, environment });
  account = await CaseAccount.make(kappa, 'late', '111111111111');
}, 180_000);
afterAll(async () => {
  account?.end();
  await kappa?.stop();
}, 60_000);

test('the SDK for JavaScript corrects itself by the first answer', async () => {
  const client = account.sdk({ maxAttempts: 3 });
  const list = async () => (await client.send(new ListFunctionsCommand({}))).$metadata.attempts;
  expect([await list(), await list()]).toEqual([2, 1]);
  client.destroy();
});

test('the aws command says what is wrong', async () => {
  const aws = await account.aws();
  expect(await aws.refusal('list-functions')).toMatch(/^InvalidSignatureException: Signature not yet current: /);
});

describe.each([
  ['boto3', boto3Suite],
  ['the SDK for Go', goSuite],
])('%s', (_name, suite) => {
  let run: SuiteRun;
  beforeAll(async () => {
    run = await suite.run('lateClock', account);
  }, 320_000);

  test.each(suite.tests('lateClock'))('%s', (name) => {
    run.expectPassed(name);
  });
});
