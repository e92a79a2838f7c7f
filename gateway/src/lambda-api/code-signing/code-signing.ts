import type {
  DeleteFunctionCodeSigningConfigRequest,
  GetCodeSigningConfigRequest,
  GetFunctionCodeSigningConfigRequest,
  ListCodeSigningConfigsResponse,
  PutFunctionCodeSigningConfigRequest,
} from '@aws-sdk/client-lambda';

import { ResourceNotFound } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { requireFunction } from '../functions/find.ts';

/*
 * This install signs no code: CreateCodeSigningConfig is refused (operations.ts), so there are no configurations, and every
 * other operation answers what follows from that.
 */

/** ListCodeSigningConfigs. */
export async function listCodeSigningConfigs(): Promise<ListCodeSigningConfigsResponse> {
  return { CodeSigningConfigs: [] };
}

/** GetCodeSigningConfig, UpdateCodeSigningConfig, DeleteCodeSigningConfig, ListFunctionsByCodeSigningConfig. */
export async function refuseUnknownConfig({ input }: OperationCall<GetCodeSigningConfigRequest>): Promise<never> {
  throw new ResourceNotFound(
    `The Lambda code signing configuration ${input.CodeSigningConfigArn ?? ''} can not be found.`,
  );
}

/** PutFunctionCodeSigningConfig. */
export async function putFunctionCodeSigningConfig({
  input,
}: OperationCall<PutFunctionCodeSigningConfigRequest>): Promise<never> {
  throw codeSigningConfigNotFound(input.CodeSigningConfigArn ?? '');
}

/** GetFunctionCodeSigningConfig: empty, as Lambda answers for a function without one. */
export async function getFunctionCodeSigningConfig(
  call: OperationCall<GetFunctionCodeSigningConfigRequest>,
  deps: ApiDeps,
): Promise<object> {
  await requireFunction(call, deps);
  return {};
}

/** DeleteFunctionCodeSigningConfig: there is nothing to take away, which is fine. */
export async function deleteFunctionCodeSigningConfig(
  call: OperationCall<DeleteFunctionCodeSigningConfigRequest>,
  deps: ApiDeps,
): Promise<object> {
  await requireFunction(call, deps);
  return {};
}

/** A function is to be checked by a configuration that is not there. */
export function codeSigningConfigNotFound(arn: string): Error {
  return lambdaException(
    'CodeSigningConfigNotFoundException',
    `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
  );
}
