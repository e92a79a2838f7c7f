import type { BothWays } from './both-ways.ts';

/* As both-ways.ts, for what a function is not alone with. */

const arn = (rest: string) => `arn:aws:${rest}`;
const account = '000000000000';
const queue = (name: string) => arn(`sqs:us-east-1:${account}:${name}`);
/** When something was set, where kubectl says it. */
const at = '2026-11-22T01:02:03.000Z';

/** An alias of a function with two versions, and a URL of its own. */
export function aliasBothWays(functionObject: string, name: string): BothWays {
  return {
    spec: {
      functionName: functionObject,
      name,
      functionVersion: '1',
      additionalVersion: { functionVersion: '2', weightPercent: 25 },
      description: 'both ways',
      http: {
        auth: 'AwsIam',
        invokeMode: 'Buffered',
        created: at,
        lastModified: at,
        cors: {
          allowOrigins: ['*'],
          allowMethods: ['*'],
          allowHeaders: ['x-a'],
          exposeHeaders: ['x-b'],
          allowCredentials: false,
          maxAgeSeconds: 1,
        },
      },
    },
    answers: {
      GetAlias: {
        Name: name,
        FunctionVersion: '1',
        Description: 'both ways',
        RoutingConfig: { AdditionalVersionWeights: { 2: 0.25 } },
      },
      GetFunctionUrlConfig: {
        AuthType: 'AWS_IAM',
        InvokeMode: 'BUFFERED',
        Cors: {
          AllowOrigins: ['*'],
          AllowMethods: ['*'],
          AllowHeaders: ['x-a'],
          ExposeHeaders: ['x-b'],
          MaxAge: 1,
        },
      },
    },
  };
}

/** What a function from a container image has in place of a runtime, a handler and a zip. */
export function imageBothWays(): BothWays {
  const uri = 'registry.invalid/shop/cart:7';
  const [entryPoint, command, workingDirectory] = [['/usr/bin/env', 'node'], ['app.js'], '/srv'];
  return {
    spec: {
      code: { image: { uri, deployedAt: at } },
      imageConfig: { entryPoint, command, workingDirectory },
    },
    answers: {
      GetFunction: {
        Configuration: {
          PackageType: 'Image',
          ImageConfigResponse: {
            ImageConfig: { EntryPoint: entryPoint, Command: command, WorkingDirectory: workingDirectory },
          },
        },
        Code: { RepositoryType: 'ECR', ImageUri: uri },
      },
    },
  };
}

/** A layer version. */
export function layerBothWays(layerName: string, sha256: string): BothWays {
  return {
    spec: {
      layerName,
      version: 1,
      description: 'both ways',
      code: { zip: { sha256 } },
      compatibleRuntimes: ['nodejs24.x', 'python3.13'],
      compatibleArchitectures: ['x86_64', 'arm64'],
      licenseInfo: 'MIT',
      permissions: [
        { sid: 'one', principal: '111111111111' },
        { sid: 'org', principal: '*', organizationId: 'o-0123456789' },
      ],
    },
    answers: {
      GetLayerVersion: {
        Version: 1,
        Description: 'both ways',
        Content: { CodeSha256: Buffer.from(sha256, 'hex').toString('base64') },
        CompatibleRuntimes: ['nodejs24.x', 'python3.13'],
        CompatibleArchitectures: ['x86_64', 'arm64'],
        LicenseInfo: 'MIT',
      },
      GetLayerVersionPolicy: {
        Statement: [
          { Sid: 'one', Principal: { AWS: arn('iam::111111111111:root') }, Action: 'lambda:GetLayerVersion' },
          { Sid: 'org', Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-0123456789' } } },
        ],
      },
    },
  };
}

/** Event source mappings. (That no parameter of any source is missing, gateway/src/lambda-api/event-source-mappings says.) */
export function mappingsBothWays(functionObject: string, prefix: string): readonly BothWays[] {
  const registry = { uri: 'https://registry', secret: arn(`secretsmanager:us-east-1:${account}:secret:s`) };
  const common = { functionName: functionObject, enabled: false, tags: { team: 'a' } };
  return [
    {
      spec: {
        ...common,
        eventSourceArn: queue(`${prefix}-jobs`),
        batchSize: 100,
        maximumBatchingWindowSeconds: 5,
        reportBatchItemFailures: true,
        maximumConcurrency: 10,
        filters: [{ pattern: '{"body":["a"]}' }],
        kmsKeyArn: arn(`kms:us-east-1:${account}:key/k`),
        metrics: ['EventCount'],
      },
      answers: {
        GetEventSourceMapping: {
          EventSourceArn: queue(`${prefix}-jobs`),
          BatchSize: 100,
          MaximumBatchingWindowInSeconds: 5,
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ScalingConfig: { MaximumConcurrency: 10 },
          FilterCriteria: { Filters: [{ Pattern: '{"body":["a"]}' }] },
          KMSKeyArn: arn(`kms:us-east-1:${account}:key/k`),
          MetricsConfig: { Metrics: ['EventCount'] },
        },
        ListTags: { Tags: { team: 'a' } },
      },
    },
    {
      spec: {
        ...common,
        selfManaged: { bootstrapServers: [`${prefix}-a:9092`, 'b:9092'] },
        topics: ['topic'],
        startingPosition: 'TRIM_HORIZON',
        sourceAccessConfigurations: [{ type: 'BASIC_AUTH', uri: registry.secret }],
        kafka: {
          consumerGroupId: `${prefix}-group`,
          schemaRegistry: {
            uri: registry.uri,
            eventRecordFormat: 'JSON',
            accessConfigurations: [{ type: 'BASIC_AUTH', uri: registry.secret }],
            validate: ['KEY'],
          },
        },
        provisionedPollers: { minimum: 1, maximum: 2 },
      },
      answers: {
        GetEventSourceMapping: {
          SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [`${prefix}-a:9092`, 'b:9092'] } },
          Topics: ['topic'],
          StartingPosition: 'TRIM_HORIZON',
          SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: registry.secret }],
          SelfManagedKafkaEventSourceConfig: {
            ConsumerGroupId: `${prefix}-group`,
            SchemaRegistryConfig: {
              SchemaRegistryURI: registry.uri,
              EventRecordFormat: 'JSON',
              AccessConfigs: [{ Type: 'BASIC_AUTH', URI: registry.secret }],
              SchemaValidationConfigs: [{ Attribute: 'KEY' }],
            },
          },
          ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 2 },
        },
        ListTags: { Tags: { team: 'a' } },
      },
    },
  ];
}
