import type { GetFunctionConfigurationRequest, GetFunctionRequest, GetFunctionResponse } from '@aws-sdk/client-lambda';

import type { ApiDeps, OperationCall } from '../call.ts';
import { type Configuration, latestConfiguration, versionConfiguration } from './configuration.ts';
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
  const sha256 = sha256Of(meant);
  return {
    Configuration: await configurationOf(call, meant, deps),
    Code: { RepositoryType: 'S3', ...(sha256 !== null && { Location: deps.codeUrl(call.origin, sha256) }) },
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

/** The code that is served, or will be; null = the controller has yet to fetch it. */
function sha256Of({ fn, version }: Meant): string | null {
  if (version !== null) return version.spec.code.sha256;
  if (fn.spec.code.zip !== undefined) return fn.spec.code.zip.sha256;
  const { codeSha256 } = fn.status ?? {};
  return codeSha256 === undefined ? null : Buffer.from(codeSha256, 'base64').toString('hex');
}
