import type { GetFunctionConfigurationRequest, GetFunctionRequest, GetFunctionResponse } from '@aws-sdk/client-lambda';

import type { ApiDeps, OperationCall } from '../call.ts';
import { type Configuration, latestConfiguration, versionConfiguration } from './configuration.ts';
import { isImage, servedImage } from './image.ts';
import { type Meant, requireMeant } from './resolve.ts';

/** What GetFunction answers. */
export interface FunctionAnswer extends Omit<GetFunctionResponse, 'Configuration'> {
  readonly Configuration: Configuration;
}

/** GetFunction: configuration, where the code can be fetched for some minutes, tags, reserved concurrency. */
export async function getFunction(call: OperationCall<GetFunctionRequest>, deps: ApiDeps): Promise<FunctionAnswer> {
  const meant = await requireMeant(call, deps);
  const { spec } = meant.fn;
  const { tags = {} } = spec;
  const { reserved } = spec.concurrency;
  return {
    Configuration: await configurationOf(call, meant, deps),
    Code: isImage(spec) ? await imageLocation(meant, deps) : zipLocation(call, meant, deps),
    ...(Object.keys(tags).length > 0 && { Tags: { ...tags } }),
    ...(reserved !== undefined && { Concurrency: { ReservedConcurrentExecutions: reserved } }),
  };
}

/** GetFunctionConfiguration. */
export async function getFunctionConfiguration(
  call: OperationCall<GetFunctionConfigurationRequest>,
  deps: ApiDeps,
): Promise<Configuration> {
  return configurationOf(call, await requireMeant(call, deps), deps);
}

/** Named as the caller named it: with its qualifier, if it gave one. */
async function configurationOf({ fn }: OperationCall<unknown>, meant: Meant, deps: ApiDeps): Promise<Configuration> {
  const shown = { functionName: fn.name, arn: fn.qualifier === null ? fn.arn : `${fn.arn}:${fn.qualifier}` };
  if (meant.version !== null) return versionConfiguration(meant.version, shown, deps.region);
  return latestConfiguration(meant.fn, shown, deps);
}

function zipLocation({ origin }: OperationCall<unknown>, meant: Meant, deps: ApiDeps): FunctionAnswer['Code'] {
  const sha256 = sha256Of(meant);
  return { RepositoryType: 'S3', ...(sha256 !== null && { Location: deps.codeUrl(origin, sha256) }) };
}

/** What it was resolved to is known once the controller has asked its registry. */
async function imageLocation({ fn, version }: Meant, deps: ApiDeps): Promise<FunctionAnswer['Code']> {
  const image = version === null ? (await servedImage(fn, deps))?.image : version.spec.code.image;
  const uri = version === null ? fn.spec.code.image?.uri : image?.uri;
  return {
    RepositoryType: 'ECR',
    ...(uri !== undefined && { ImageUri: uri }),
    ...(image?.uri === uri && image !== undefined && { ResolvedImageUri: image.reference }),
  };
}

/** The code that is served, or will be; null = the controller has yet to fetch it. */
function sha256Of({ fn, version }: Meant): string | null {
  if (version !== null) return version.spec.code.sha256;
  if (fn.spec.code.zip !== undefined) return fn.spec.code.zip.sha256;
  const { codeSha256 } = fn.status ?? {};
  return codeSha256 === undefined ? null : Buffer.from(codeSha256, 'base64').toString('hex');
}
