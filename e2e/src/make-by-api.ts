import { type Lambda, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2 } from '@aws-sdk/client-lambda';

/** What the calls that read a function answer, as far as others set it. */
export interface FunctionAnswers {
  readonly GetFunctionConfiguration: Omit<Parameters<Lambda['createFunction']>[0], 'Code' | 'Layers' | 'Tags'>;
  readonly GetFunctionUrlConfig: Omit<Parameters<Lambda['createFunctionUrlConfig']>[0], 'FunctionName'>;
  readonly GetFunctionEventInvokeConfig: Omit<Parameters<Lambda['putFunctionEventInvokeConfig']>[0], 'FunctionName'>;
}

/** The same function by calls of the API: those that set what the others read. */
export async function makeByApi(
  lambda: Lambda,
  { FunctionName, zip, layer }: { readonly FunctionName: string; readonly zip: Buffer; readonly layer: string },
  answers: FunctionAnswers,
): Promise<void> {
  const { FunctionArn: _arn, CodeSha256: _digest, ...settings } = Object(answers.GetFunctionConfiguration);
  const code = { Code: { ZipFile: zip }, Layers: [layer], Tags: { team: 'a' } };
  const waiting = { client: lambda, maxWaitTime: 30, minDelay: 1 };
  await lambda.createFunction({ ...settings, ...code, Timeout: 6 });
  await waitUntilFunctionActiveV2(waiting, { FunctionName });
  const { Version } = await lambda.publishVersion({ FunctionName });
  await lambda.updateFunctionConfiguration({ FunctionName, Timeout: settings.Timeout });
  await waitUntilFunctionUpdatedV2(waiting, { FunctionName });
  await lambda.createAlias({ FunctionName, Name: 'live', FunctionVersion: Version });
  await lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 5 });
  await lambda.putProvisionedConcurrencyConfig({ FunctionName, Qualifier: 'live', ProvisionedConcurrentExecutions: 1 });
  await lambda.createFunctionUrlConfig({ FunctionName, ...answers.GetFunctionUrlConfig });
  await lambda.putFunctionEventInvokeConfig({ FunctionName, ...answers.GetFunctionEventInvokeConfig });
  await lambda.putFunctionRecursionConfig({ FunctionName, RecursiveLoop: 'Allow' });
  await lambda.putRuntimeManagementConfig({ FunctionName, UpdateRuntimeOn: 'FunctionUpdate' });
  const invoking = { FunctionName, Action: 'lambda:InvokeFunction' };
  const source = { SourceArn: 'arn:aws:s3:::bucket', SourceAccount: '000000000000', EventSourceToken: 'token' };
  await lambda.addPermission({ ...invoking, StatementId: 's3', Principal: 's3.amazonaws.com', ...source });
  const organization = { Principal: '*', PrincipalOrgID: 'o-0123456789', FunctionUrlAuthType: 'AWS_IAM' as const };
  await lambda.addPermission({ FunctionName, Action: 'lambda:InvokeFunctionUrl', StatementId: 'url', ...organization });
  await lambda.addPermission({
    ...invoking,
    StatementId: 'via',
    Principal: '111111111111',
    InvokedViaFunctionUrl: true,
  });
}
