import { createHash } from 'node:crypto';
import { Lambda, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2 } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toObjectName } from '@kappa/crds/names';
import { type BothWays, functionBothWays } from '../src/both-ways.ts';
import { aliasBothWays, imageBothWays, layerBothWays, mappingsBothWays } from '../src/both-ways-kinds.ts';
import { eventually } from '../src/eventually.ts';
import { type FunctionAnswers, makeByApi } from '../src/make-by-api.ts';
import { fieldsIn, fieldsOf, kubectlOnly } from '../src/manifest-fields.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/*
 * What the Lambda API writes, kubectl reads, field by field, and the other way round. Each test goes on where the one before has ended.
 */

const names = { api: 'Api_Side', kubectl: 'Kube_Side' };
const objectOf = (name: string) => toObjectName(name);

let kappa: TestPlatform;
let lambda: Lambda;
let zip: Buffer;
let sha256: string;
const layerArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:layer:${name}:1`;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
  lambda = new Lambda({ endpoint: kappa.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  zip = await zipWithEntry('index.mjs', 'export const handler = () => 1;');
  sha256 = createHash('sha256').update(zip).digest('hex');
}, 180_000);
afterAll(async () => {
  lambda?.destroy();
  await kappa?.stop();
}, 60_000);

type Answers = Readonly<Record<string, object>>;

/** The spec as kubectl shows it. */
async function shown(kind: string, name: string): Promise<unknown> {
  return (await kappa.kubectl.json<{ spec: unknown }>([kind, name])).spec;
}

function apply(kind: string, name: string, spec: object): Promise<string> {
  return kappa.kubectl.apply({
    apiVersion: 'kappa.dev/v1alpha1',
    kind,
    metadata: { name, namespace: 'default' },
    spec,
  });
}

/** Instants of the API's own are some instant. */
function withAnyInstants(value: unknown): unknown {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) return expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
  if (Array.isArray(value)) return value.map(withAnyInstants);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withAnyInstants(field)]));
}

/** A policy is a text: only what it says counts. */
function withPolicy<T extends { readonly Policy?: string | undefined }>({ Policy = '{}' }: T): object {
  return JSON.parse(Policy);
}

async function expectAnswers(read: () => Promise<Answers>, { answers }: BothWays): Promise<void> {
  await eventually('the API answers what is there', async () => {
    expect(await read()).toMatchObject(answers);
    return true;
  });
}

/** All that the API says of a function. */
async function answersOfFunction(FunctionName: string): Promise<Answers> {
  const of = { FunctionName };
  return {
    GetFunctionConfiguration: await lambda.getFunctionConfiguration(of),
    GetFunction: await lambda.getFunction(of),
    ListTags: await lambda.listTags({ Resource: `arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}` }),
    GetFunctionConcurrency: await lambda.getFunctionConcurrency(of),
    ListProvisionedConcurrencyConfigs: await lambda.listProvisionedConcurrencyConfigs(of),
    GetFunctionUrlConfig: await lambda.getFunctionUrlConfig(of),
    GetFunctionEventInvokeConfig: await lambda.getFunctionEventInvokeConfig(of),
    GetFunctionRecursionConfig: await lambda.getFunctionRecursionConfig(of),
    GetRuntimeManagementConfig: await lambda.getRuntimeManagementConfig(of),
    GetPolicy: withPolicy(await lambda.getPolicy(of)),
  };
}

describe('Layer', () => {
  test('of the API, for kubectl', async () => {
    const { spec, answers } = layerBothWays('api_lib', sha256);
    const { GetLayerVersion: made } = answers as {
      GetLayerVersion: Omit<Parameters<Lambda['publishLayerVersion']>[0], 'Content'>;
    };
    const { Description, CompatibleRuntimes, CompatibleArchitectures, LicenseInfo } = made;
    const settings = { Description, CompatibleRuntimes, CompatibleArchitectures, LicenseInfo };
    await lambda.publishLayerVersion({ LayerName: 'api_lib', Content: { ZipFile: zip }, ...settings });
    const permission = { LayerName: 'api_lib', VersionNumber: 1, Action: 'lambda:GetLayerVersion' };
    await lambda.addLayerVersionPermission({ ...permission, StatementId: 'one', Principal: '111111111111' });
    await lambda.addLayerVersionPermission({
      ...permission,
      StatementId: 'org',
      Principal: '*',
      OrganizationId: 'o-0123456789',
    });
    const { items } = await kappa.kubectl.json<{ items: { spec: { layerName: string } }[] }>(['layers']);
    expect(items.map((item) => item.spec)).toEqual([spec]);
    await expectAnswers(() => answersOfLayer('api_lib'), layerBothWays('api_lib', sha256));
  });

  test('of kubectl, for the API', async () => {
    const both = layerBothWays('kube-lib', sha256);
    await apply('Layer', 'kube-lib-v1', both.spec);
    await expectAnswers(() => answersOfLayer('kube-lib'), both);
    expect(await shown('layer', 'kube-lib-v1')).toEqual(both.spec);
  });

  const answersOfLayer = async (LayerName: string): Promise<Answers> => ({
    GetLayerVersion: await lambda.getLayerVersion({ LayerName, VersionNumber: 1 }),
    GetLayerVersionPolicy: withPolicy(await lambda.getLayerVersionPolicy({ LayerName, VersionNumber: 1 })),
  });
});

describe('Function', () => {
  const FunctionName = names.api;

  test('of the API, for kubectl', async () => {
    const both = functionBothWays(FunctionName, sha256, layerArn('api_lib'));
    await makeByApi(
      lambda,
      { FunctionName, zip, layer: layerArn('api_lib') },
      both.answers as unknown as FunctionAnswers,
    );
    expect(await shown('fn', objectOf(FunctionName))).toEqual(withAnyInstants(both.spec));
    await expectAnswers(() => answersOfFunction(FunctionName), both);
  }, 60_000);

  test('a published version of it is a FunctionVersion with the same', async () => {
    const { spec } = functionBothWays(FunctionName, sha256, layerArn('api_lib'));
    const { Version } = await lambda.publishVersion({ FunctionName, Description: 'published' });
    const version = await shown('fnv', `${objectOf(FunctionName)}-v${Version}`);
    const { memoryMiB, timeoutSeconds, environment, logging, role, ephemeralStorageMiB, deadLetterTarget } = spec;
    const kept = { memoryMiB, timeoutSeconds, environment, logging, role, ephemeralStorageMiB, deadLetterTarget };
    const { VpcConfig, TracingConfig, KMSKeyArn, FileSystemConfigs, LoggingConfig } = Object(spec['compatibility']);
    expect(version).toMatchObject({
      ...{ ...kept, functionName: objectOf(FunctionName), lambdaName: FunctionName, version: Version },
      ...{ description: 'published', runtime: 'nodejs24.x', handler: 'index.handler', architectures: ['x86_64'] },
      ...{
        code: { sha256, sizeBytes: zip.length },
        layers: [{ arn: layerArn('api_lib'), sha256, sizeBytes: zip.length }],
      },
      ...{ perInstance: 1, idleTimeoutSeconds: 300 },
      compatibility: { VpcConfig, TracingConfig, KMSKeyArn, FileSystemConfigs, LoggingConfig },
    });
    const { GetFunctionConfiguration } = functionBothWays(FunctionName, sha256, layerArn('api_lib')).answers;
    const { FunctionArn, ...answered } = Object(GetFunctionConfiguration);
    const published = await lambda.getFunctionConfiguration({ FunctionName, Qualifier: String(Version) });
    expect(published).toMatchObject({
      ...answered,
      Description: 'published',
      FunctionArn: `${FunctionArn}:${Version}`,
    });
  });

  test('of kubectl, for the API', async () => {
    const both = functionBothWays(names.kubectl, sha256, layerArn('kube-lib'));
    await apply('Function', objectOf(names.kubectl), both.spec);
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30, minDelay: 1 }, { FunctionName: names.kubectl });
    await expectAnswers(() => answersOfFunction(names.kubectl), both);
    expect(await shown('fn', objectOf(names.kubectl))).toEqual(both.spec);
  }, 60_000);

  test('what the API has no words for, it leaves as kubectl said it', async () => {
    const environment = [
      { name: 'AA', value: 'a' },
      { name: 'BB', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
    ];
    const extra = { environment, idleTimeoutSeconds: 77 };
    await kappa.kubectl.ok(['create', 'configmap', 'c', '--from-literal=k=v']);
    await kappa.kubectl.ok([
      'patch',
      'fn',
      objectOf(names.kubectl),
      '--type=merge',
      '-p',
      JSON.stringify({ spec: extra }),
    ]);
    const updating = { client: lambda, maxWaitTime: 30, minDelay: 1 };
    await waitUntilFunctionUpdatedV2(updating, { FunctionName: names.kubectl });
    const Environment = { Variables: { AA: 'b' } };
    await lambda.updateFunctionConfiguration({ FunctionName: names.kubectl, Description: 'by the API', Environment });
    const { spec } = functionBothWays(names.kubectl, sha256, layerArn('kube-lib'));
    expect(await shown('fn', objectOf(names.kubectl))).toEqual({
      ...{ ...spec, ...extra, description: 'by the API' },
      environment: [{ name: 'AA', value: 'b' }, environment[1]],
    });
  }, 60_000);

  test('from an image, of the API, for kubectl', async () => {
    const both = imageBothWays();
    const { Configuration, Code } = Object(both.answers['GetFunction']);
    const of = { FunctionName: 'api-image' };
    const { ImageConfig } = Configuration.ImageConfigResponse;
    const { Role } = Object(functionBothWays('f', sha256, 'layer').answers['GetFunctionConfiguration']);
    const { ImageUri } = Code;
    await lambda.createFunction({ ...of, Role, PackageType: 'Image', Code: { ImageUri: `${ImageUri}1` }, ImageConfig });
    await lambda.updateFunctionCode({ ...of, ImageUri });
    expect(await shown('fn', 'api-image')).toMatchObject(Object(withAnyInstants(both.spec)));
    await expectAnswers(async () => ({ GetFunction: await lambda.getFunction(of) }), both);
  });

  test('from an image, of kubectl, for the API', async () => {
    const both = imageBothWays();
    await apply('Function', 'kube-image', both.spec);
    await expectAnswers(async () => ({ GetFunction: await lambda.getFunction({ FunctionName: 'kube-image' }) }), both);
    expect(await shown('fn', 'kube-image')).toMatchObject(both.spec);
  });

  test('no field of the manifest is missing here', () => {
    const known = fieldsOf('functions');
    const specs = [functionBothWays('f', sha256, 'layer').spec, imageBothWays().spec];
    const here = new Set([...specs.flatMap((spec) => fieldsIn(spec, known)), ...kubectlOnly]);
    expect(known.filter((field) => !here.has(field))).toEqual([]);
  });
});

describe('Alias', () => {
  const FunctionName = names.api;
  const of = (Name: string) => ({ FunctionName, Name });

  test('of the API, for kubectl', async () => {
    const both = aliasBothWays(objectOf(FunctionName), 'Both');
    const { GetAlias, GetFunctionUrlConfig } = both.answers;
    await lambda.createAlias({ FunctionName, ...Object(GetAlias) });
    await lambda.createFunctionUrlConfig({ FunctionName, Qualifier: 'Both', ...Object(GetFunctionUrlConfig) });
    const { items } = await kappa.kubectl.json<{ items: { spec: { name: string } }[] }>(['aliases']);
    expect(items.map(({ spec }) => spec).find(({ name }) => name === 'Both')).toEqual(withAnyInstants(both.spec));
    await expectAnswers(() => answersOfAlias('Both'), both);
  });

  test('of kubectl, for the API', async () => {
    const both = aliasBothWays(objectOf(FunctionName), 'kube');
    await apply('Alias', 'by-kubectl', both.spec);
    await expectAnswers(() => answersOfAlias('kube'), both);
    expect(await shown('alias', 'by-kubectl')).toEqual(both.spec);
  });

  test('no field of the manifest is missing here', () => {
    const known = fieldsOf('aliases');
    const here = new Set(fieldsIn(aliasBothWays('f', 'a').spec, known));
    expect(known.filter((field) => !here.has(field))).toEqual([]);
  });

  const answersOfAlias = async (name: string): Promise<Answers> => ({
    GetAlias: await lambda.getAlias(of(name)),
    GetFunctionUrlConfig: await lambda.getFunctionUrlConfig({ FunctionName, Qualifier: name }),
  });
});

describe('EventSourceMapping', () => {
  const FunctionName = names.api;

  test('of the API, for kubectl', async () => {
    for (const both of mappingsBothWays(objectOf(FunctionName), 'api')) {
      const parameters = Object(both.answers['GetEventSourceMapping']);
      const asked = { FunctionName, Enabled: false, Tags: { team: 'a' }, ...parameters };
      const { UUID = '' } = await lambda.createEventSourceMapping(asked);
      const { items } = await kappa.kubectl.json<{ items: { metadata: { uid: string }; spec: object }[] }>(['esm']);
      expect(items.find(({ metadata }) => metadata.uid === UUID)?.spec).toEqual(both.spec);
      await expectAnswers(() => answersOfMapping(UUID), both);
    }
  });

  test('of kubectl, for the API', async () => {
    for (const [at, both] of mappingsBothWays(objectOf(FunctionName), 'kube').entries()) {
      await apply('EventSourceMapping', `by-kubectl-${at}`, both.spec);
      const { metadata } = await kappa.kubectl.json<{ metadata: { uid: string } }>(['esm', `by-kubectl-${at}`]);
      await expectAnswers(() => answersOfMapping(metadata.uid), both);
      expect(await shown('esm', `by-kubectl-${at}`)).toEqual(both.spec);
    }
  });

  const answersOfMapping = async (UUID: string): Promise<Answers> => {
    const mapping = await lambda.getEventSourceMapping({ UUID });
    return {
      GetEventSourceMapping: mapping,
      ListTags: await lambda.listTags({ Resource: mapping.EventSourceMappingArn }),
    };
  };
});

test('the layer’s manifest has no field more', () => {
  const known = fieldsOf('layers');
  const fromKubectl = ['code.inline.files', 'code.url.sha256', 'code.url.url'];
  const here = new Set([...fieldsIn(layerBothWays('l', sha256).spec, known), ...fromKubectl]);
  expect(known.filter((field) => !here.has(field))).toEqual([]);
});
