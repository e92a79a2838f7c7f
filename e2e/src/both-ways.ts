/*
 * Every field of the objects, in Kubernetes' words and in Lambda's: what a spec says, and what the operations that read it answer then.
 */

const arn = (rest: string) => `arn:aws:${rest}`;
const account = '000000000000';
const queue = (name: string) => arn(`sqs:us-east-1:${account}:${name}`);
/** An object's spec, and what the API says of it. */
export interface BothWays {
  /** As kubectl writes and shows it. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Operation → what its answer has of it. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/** When something was set, where kubectl says it. */
const at = '2026-11-22T01:02:03.000Z';

/** A function. @param layer ARN of a layer version; `live` must be one of its aliases */
export function functionBothWays(functionName: string, sha256: string, layer: string): BothWays {
  const functionArn = arn(`lambda:us-east-1:${account}:function:${functionName}`);
  const cors = { origins: ['https://a.example'], methods: ['GET', 'PUT'], headers: ['x-a'], exposed: ['x-b'], age: 60 };
  const vpc = { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] };
  const files = [
    {
      Arn: arn(`elasticfilesystem:us-east-1:${account}:access-point/fsap-00000000000000001`),
      LocalMountPath: '/mnt/a',
    },
  ];
  const levels = { ApplicationLogLevel: 'DEBUG', SystemLogLevel: 'WARN' };
  const group = { LogGroup: '/own' };
  const updates = { UpdateRuntimeOn: 'FunctionUpdate' };
  const statement = { Effect: 'Allow', Resource: functionArn };
  return {
    spec: {
      functionName,
      description: 'both ways',
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { zip: { sha256 } },
      memoryMiB: 256,
      timeoutSeconds: 7,
      environment: [{ name: 'AA', value: 'a' }],
      concurrency: {
        reserved: 5,
        provisioned: 0,
        provisionedByQualifier: [{ qualifier: 'live', executions: 1, lastModified: at }],
        perInstance: 1,
      },
      http: {
        auth: 'AwsIam',
        invokeMode: 'ResponseStream',
        created: at,
        lastModified: at,
        cors: {
          allowOrigins: cors.origins,
          allowMethods: cors.methods,
          allowHeaders: cors.headers,
          exposeHeaders: cors.exposed,
          allowCredentials: true,
          maxAgeSeconds: cors.age,
        },
      },
      logging: { format: 'JSON', applicationLevel: 'DEBUG', systemLevel: 'WARN' },
      idleTimeoutSeconds: 300,
      tags: { team: 'a' },
      role: arn(`iam::${account}:role/any`),
      architectures: ['x86_64'],
      layers: [layer],
      ephemeralStorageMiB: 1024,
      deadLetterTarget: queue('dead'),
      eventInvoke: [
        {
          qualifier: '$LATEST',
          maximumRetryAttempts: 1,
          maximumEventAgeSeconds: 120,
          onSuccess: queue('done'),
          onFailure: queue('failed'),
          lastModified: at,
        },
      ],
      recursiveLoop: 'Allow',
      permissions: [
        {
          sid: 's3',
          qualifier: '',
          action: 'lambda:InvokeFunction',
          principal: 's3.amazonaws.com',
          sourceArn: arn('s3:::bucket'),
          sourceAccount: account,
          eventSourceToken: 'token',
        },
        {
          sid: 'url',
          qualifier: '',
          action: 'lambda:InvokeFunctionUrl',
          principal: '*',
          principalOrgId: 'o-0123456789',
          functionUrlAuthType: 'AwsIam',
        },
        {
          sid: 'via',
          qualifier: '',
          action: 'lambda:InvokeFunction',
          principal: '111111111111',
          invokedViaFunctionUrl: true,
        },
      ],
      compatibility: {
        VpcConfig: JSON.stringify(vpc),
        KMSKeyArn: JSON.stringify(arn(`kms:us-east-1:${account}:key/k`)),
        TracingConfig: JSON.stringify({ Mode: 'Active' }),
        FileSystemConfigs: JSON.stringify(files),
        LoggingConfig: JSON.stringify(group),
        RuntimeManagement: JSON.stringify({ $LATEST: updates }),
      },
    },
    answers: {
      GetFunctionConfiguration: {
        FunctionName: functionName,
        FunctionArn: functionArn,
        Description: 'both ways',
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        CodeSha256: Buffer.from(sha256, 'hex').toString('base64'),
        MemorySize: 256,
        Timeout: 7,
        Environment: { Variables: { AA: 'a' } },
        LoggingConfig: { LogFormat: 'JSON', ...levels, ...group },
        Role: arn(`iam::${account}:role/any`),
        Architectures: ['x86_64'],
        Layers: [{ Arn: layer }],
        EphemeralStorage: { Size: 1024 },
        DeadLetterConfig: { TargetArn: queue('dead') },
        VpcConfig: vpc,
        KMSKeyArn: arn(`kms:us-east-1:${account}:key/k`),
        TracingConfig: { Mode: 'Active' },
        FileSystemConfigs: files,
      },
      GetFunction: { Tags: { team: 'a' }, Concurrency: { ReservedConcurrentExecutions: 5 } },
      ListTags: { Tags: { team: 'a' } },
      GetFunctionConcurrency: { ReservedConcurrentExecutions: 5 },
      ListProvisionedConcurrencyConfigs: {
        ProvisionedConcurrencyConfigs: [
          { FunctionArn: `${functionArn}:live`, RequestedProvisionedConcurrentExecutions: 1 },
        ],
      },
      GetFunctionUrlConfig: {
        AuthType: 'AWS_IAM',
        InvokeMode: 'RESPONSE_STREAM',
        Cors: {
          AllowOrigins: cors.origins,
          AllowMethods: cors.methods,
          AllowHeaders: cors.headers,
          ExposeHeaders: cors.exposed,
          AllowCredentials: true,
          MaxAge: cors.age,
        },
      },
      GetFunctionEventInvokeConfig: {
        MaximumRetryAttempts: 1,
        MaximumEventAgeInSeconds: 120,
        DestinationConfig: { OnSuccess: { Destination: queue('done') }, OnFailure: { Destination: queue('failed') } },
      },
      GetFunctionRecursionConfig: { RecursiveLoop: 'Allow' },
      GetRuntimeManagementConfig: updates,
      GetPolicy: {
        Statement: [
          {
            ...{ ...statement, Sid: 's3', Action: 'lambda:InvokeFunction', Principal: { Service: 's3.amazonaws.com' } },
            Condition: {
              StringEquals: { 'AWS:SourceAccount': account, 'lambda:EventSourceToken': 'token' },
              ArnLike: { 'AWS:SourceArn': arn('s3:::bucket') },
            },
          },
          {
            ...{ ...statement, Sid: 'url', Action: 'lambda:InvokeFunctionUrl', Principal: '*' },
            Condition: {
              StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM', 'aws:PrincipalOrgID': 'o-0123456789' },
            },
          },
          {
            ...{ ...statement, Sid: 'via', Action: 'lambda:InvokeFunction' },
            Principal: { AWS: arn('iam::111111111111:root') },
            Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } },
          },
        ],
      },
    },
  };
}
